//! Server-sent events, read on the side while the bytes pass.

/// The longest event that is kept to be read; longer ones pass unread.
const EVENT_BYTES_MAX: usize = 8 << 20;

/// Collects bytes until an event is whole.
#[derive(Debug, Default)]
pub(crate) struct SseBuffer {
    held: Vec<u8>,
    /// Where the next look for an event's end starts.
    searched: usize,
    overlong: bool,
}

// === impl SseBuffer ===

impl SseBuffer {
    /// Takes the next bytes. When an event grows too long to be kept, gives back all
    /// that was held, to be passed on unread.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        if self.held.len() <= EVENT_BYTES_MAX {
            return None;
        }
        self.overlong = true;
        Some(self.rest())
    }

    /// Whether something was too long to be read: from there on nothing is.
    pub(crate) fn overlong(&self) -> bool {
        self.overlong
    }

    /// The next whole event, its blank line included.
    pub(crate) fn next_event(&mut self) -> Option<Vec<u8>> {
        let from = self.searched.saturating_sub(3);
        match event_end(self.held.get(from..)?) {
            Some(end) => {
                let rest = self.held.split_off(from + end);
                self.searched = 0;
                Some(std::mem::replace(&mut self.held, rest))
            }
            None => {
                self.searched = self.held.len();
                None
            }
        }
    }

    /// What is left when the stream ends: an event without its blank line.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        self.searched = 0;
        std::mem::take(&mut self.held)
    }
}

/// One past the blank line that ends the first event.
fn event_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| match bytes.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// The joined `data` of an event; most have one line, which is not copied.
pub(crate) fn event_data(event: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    let mut lines = event.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let data = line.strip_prefix(b"data:")?;
        Some(data.strip_prefix(b" ").unwrap_or(data))
    });
    let first = lines.next()?;
    let rest: Vec<&[u8]> = lines.collect();
    if rest.is_empty() {
        return Some(std::borrow::Cow::Borrowed(first));
    }
    let mut joined = first.to_vec();
    for line in rest {
        joined.push(b'\n');
        joined.extend_from_slice(line);
    }
    Some(std::borrow::Cow::Owned(joined))
}

/// The event with other data, its name and its other lines as they came.
pub(crate) fn with_data(event: &[u8], data: &[u8]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(event.len() + data.len());
    let lines = event.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with(b"data:")) {
        changed.extend_from_slice(line);
        changed.push(b'\n');
    }
    for line in data.split(|byte| *byte == b'\n') {
        changed.extend_from_slice(b"data: ");
        changed.extend_from_slice(line);
        changed.push(b'\n');
    }
    changed.push(b'\n');
    changed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<String> {
        let mut buffer = SseBuffer::default();
        let mut events = Vec::new();
        for chunk in chunks {
            assert_eq!(buffer.push(chunk), None);
            while let Some(event) = buffer.next_event() {
                events.push(String::from_utf8_lossy(&event_data(&event).unwrap()).into_owned());
            }
        }
        events
    }

    #[test]
    fn both_line_endings_and_several_data_lines() {
        let text = b"event: a\r\ndata: 1\r\n\r\ndata: 2\ndata:3\n\n";
        assert_eq!(read(&[text]), ["1", "2\n3"]);
    }

    #[test]
    fn other_data_leaves_the_other_lines() {
        let event = b"event: a\r\nid: 7\r\ndata: 1\r\ndata: 2\r\n\r\n";
        assert_eq!(with_data(event, b"x\ny"), b"event: a\nid: 7\ndata: x\ndata: y\n\n");
    }

    #[test]
    fn what_is_too_long_to_be_read_is_given_back_whole() {
        let mut buffer = SseBuffer::default();
        assert_eq!(buffer.push(b"data: start"), None);
        let long = vec![b'x'; EVENT_BYTES_MAX];
        let given_back = buffer.push(&long).unwrap();
        assert_eq!(given_back.len(), long.len() + b"data: start".len());
        assert!(buffer.overlong() && buffer.rest().is_empty());
    }

    proptest! {
        #[test]
        fn the_cutting_of_the_network_does_not_matter(cuts in prop::collection::vec(0_usize..60, 0..8)) {
            let text: &[u8] = b"data: {\"a\":1}\n\nevent: x\r\ndata: two\r\n\r\ndata: [DONE]\n\n";
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&text[from..cut]);
                from = cut;
            }
            chunks.push(&text[from..]);
            prop_assert_eq!(read(&chunks), ["{\"a\":1}", "two", "[DONE]"]);
        }
    }
}
