//! Rows of closed statements, many in one compressed piece: a month of a large company has a
//! million, and most of their bytes are the names of their fields.

use crate::error::WarehouseError;

/// More than any piece that was written is.
const BYTES_MAX: usize = 64 << 20;

/// Lines of JSON, compressed.
///
/// # Errors
/// When there is no memory for it.
pub(crate) fn packed(lines: &str) -> Result<Vec<u8>, WarehouseError> {
    zstd::bulk::compress(lines.as_bytes(), 1)
        .map_err(|error| WarehouseError::Corrupt(format!("rows could not be compressed: {error}")))
}

/// The lines again.
///
/// # Errors
/// When they are not what was written.
pub(crate) fn unpacked(piece: &[u8]) -> Result<String, WarehouseError> {
    let corrupt = |why: String| WarehouseError::Corrupt(format!("rows of a statement: {why}"));
    // The frame says how much it holds: no more than that is taken.
    let size = zstd::zstd_safe::get_frame_content_size(piece).ok().flatten();
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= BYTES_MAX);
    let size = size.ok_or_else(|| corrupt("their size is not known".to_owned()))?;
    let bytes = zstd::bulk::decompress(piece, size).map_err(|error| corrupt(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| corrupt(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were_and_other_bytes_are_refused() {
        let lines = "{\"a\":1}\n{\"a\":\"ä\"}\n".repeat(1_000);
        let piece = packed(&lines).unwrap();
        assert!(piece.len() * 20 < lines.len());
        assert_eq!(unpacked(&piece).unwrap(), lines);
        assert!(unpacked(&piece[..piece.len() - 3]).is_err());
        assert!(unpacked(b"no frame").is_err());
        assert!(unpacked(&[]).is_err());
    }
}
