//! A burst from request to revocation, and what leaves the house on the way: by a real
//! SMTP server and real receivers of webhooks.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use serde_json::Value;

use crate::support::{Done, Tally, run, wait_until};

const BUDGET: &str = "kind: Budget\nname: support-month\nspec: { owner: grace, scope: { team: support }, limit: { usd: \"2000\" }, window: { calendar: month } }\n";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a server took, in order.
type Taken<T> = Arc<Mutex<Vec<T>>>;

struct Post {
    headers: Vec<(String, String)>,
    body: String,
}

/// Hands each connection to a thread of its own; gives the port.
fn listen(serve: impl Fn(TcpStream) + Send + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

/// A mail server that keeps what it takes.
fn smtp() -> (u16, Taken<String>) {
    let taken = Taken::default();
    let kept = Arc::clone(&taken);
    let port = listen(move |stream| {
        let mut out = stream.try_clone().unwrap();
        let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).is_ok();
        say("220 sink");
        let mut message: Option<String> = None;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some(text) = &mut message {
                if line != "." {
                    text.push_str(&format!("{line}\n"));
                    continue;
                }
                kept.lock().unwrap().push(message.take().unwrap());
                say("250 taken");
                continue;
            }
            match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "DATA" => {
                    message = Some(String::new());
                    say("354 go on")
                }
                "QUIT" => {
                    say("221 bye");
                    return;
                }
                _ => say("250 fine"),
            };
        }
    });
    (port, taken)
}

/// A receiver of webhooks that fails so often before it works.
fn receiver(failures: usize) -> (u16, Taken<Post>) {
    let taken = Taken::default();
    let kept = Arc::clone(&taken);
    let port = listen(move |mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut headers = Vec::new();
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
            if let Some((name, value)) = line.trim().split_once(": ") {
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
            line.clear();
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse();
        let mut body = vec![0; length.unwrap()];
        reader.read_exact(&mut body).unwrap();
        let mut kept = kept.lock().unwrap();
        kept.push(Post { headers, body: String::from_utf8(body).unwrap() });
        let status = if kept.len() <= failures { "503 Not Now" } else { "200 OK" };
        let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(reply.as_bytes());
    });
    (port, taken)
}

impl Post {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(header, _)| header == name).unwrap().1
    }

    /// As a receiver checks it that follows the standard.
    fn verify(&self) {
        let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = format!(
            "{}.{}.{}",
            self.header("webhook-id"),
            self.header("webhook-timestamp"),
            self.body
        );
        let signature = self.header("webhook-signature").strip_prefix("v1,").unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    }
}

fn configuration(smtp: u16, hook: u16, chat_env: &str) -> String {
    format!(
        "[notify]\nbase_url = \"https://tally.acme.test\"\n\
         [notify.smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\nsecurity = \"none\"\n\
         from = \"Tally <tally@acme.test>\"\n\
         [[notify.webhooks]]\nname = \"dead\"\nurl = \"http://127.0.0.1:9/\"\nsecret_env = \"HOOK_SECRET\"\n\
         [[notify.webhooks]]\nname = \"ops\"\nurl = \"http://127.0.0.1:{hook}/in\"\nsecret_env = \"HOOK_SECRET\"\n\
         [[notify.slack]]\nname = \"finance\"\nurl_env = \"{chat_env}\"\n"
    )
}

fn by(tally: &Tally, key: &str, arguments: &[&str]) -> Done {
    run(tally.command(arguments).env("TALLY_KEY", key), "")
}

/// The same message three times, as the first two failed, each signed.
fn check_posts(posts: &[Post]) {
    assert_eq!(posts.len(), 3);
    posts.iter().for_each(Post::verify);
    assert!(posts.iter().all(|post| post.header("webhook-id") == posts[0].header("webhook-id")));
    let body: Value = serde_json::from_str(&posts[2].body).unwrap();
    assert_eq!(body["type"], "grant.requested");
    assert_eq!(body["data"]["about"]["spec"]["requested_by"], "ada");
}

#[test]
fn a_burst_is_told_once_to_everyone_it_concerns() {
    let ((smtp, mails), (hook, posts), (chat, chats)) = (smtp(), receiver(2), receiver(0));
    let chat = format!("http://127.0.0.1:{chat}/secret");
    let variables = [("HOOK_SECRET", SECRET), ("CHAT_URL", chat.as_str())];
    let tally = Tally::start_with(&configuration(smtp, hook, "CHAT_URL"), &variables);
    let company = crate::support::COMPANY.replace("SIM", "http://127.0.0.1:9");
    let file = tally.write("company.yaml", &format!("{company}---\n{BUDGET}"));
    tally.succeed(&["apply", "-f", &file]);
    let ada = tally.key(&["ada-laptop", "--person", "ada"]);
    let grace = tally.key(&["grace-laptop", "--person", "grace"]);

    let request = [
        "grant",
        "request",
        "--budget",
        "support-month",
        "--increase",
        "250usd",
        "--until",
        "+3d",
        "--reason",
        "Replies to the recall",
    ];
    let dry = by(&tally, &ada, &[&request, ["--dry-run"].as_slice()].concat());
    assert!(dry.stdout.contains("grace (owner)"), "{dry:?}");
    assert!(by(&tally, &ada, &["grant", "list"]).stdout.contains("No grants match"));
    let asked = by(&tally, &ada, &request);
    assert!(asked.stdout.contains("to approve: grace (owner)"), "{asked:?}");
    let list = by(&tally, &grace, &["grant", "list", "--to-decide", "--json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let name = list[0]["name"].as_str().unwrap();

    // A dead receiver and one that fails twice hold up nobody: each is told once.
    wait_until("the webhook is told", || posts.lock().unwrap().len() >= 3);
    wait_until("grace has mail", || mails.lock().unwrap().len() == 1);
    wait_until("the chat is told", || chats.lock().unwrap().len() == 1);
    let delivered = || {
        let page = tally.api("/api/v1/deliveries?state=delivered");
        page["items"].as_array().unwrap().len()
    };
    wait_until("three are delivered", || delivered() == 3);
    let mail = mails.lock().unwrap()[0].clone();
    assert!(mail.contains("To: grace@acme.test") && mail.contains("Message-ID: <tally_"), "{mail}");
    assert!(mail.contains("https://tally.acme.test/approvals/support-month"), "{mail}");
    check_posts(&posts.lock().unwrap());
    let chat: Value = serde_json::from_str(&chats.lock().unwrap()[0].body).unwrap();
    assert!(chat["text"].as_str().unwrap().starts_with("Ada asks for 250 USD more"), "{chat}");

    let own = by(&tally, &ada, &["grant", "approve", name]);
    assert!(own.stderr.contains("somebody else has to decide"), "{own:?}");
    let bare = by(&tally, &grace, &["grant", "deny", name]);
    assert!(bare.stderr.contains("reason"), "{bare:?}");
    let done = by(&tally, &grace, &["grant", "approve", name, "--reason", "Go on"]);
    assert!(done.stdout.contains("holds until"), "{done:?}");
    wait_until("ada has mail", || mails.lock().unwrap().len() == 2);
    let ended = by(&tally, &grace, &["grant", "revoke", name, "--reason", "It is over"]);
    assert!(ended.stdout.contains("is revoked"), "{ended:?}");
    let shown = by(&tally, &ada, &["grant", "show", name]).stdout;
    for words in ["ada asked for 250 USD more", "grace approved it as owner", "(“It is over”)"]
    {
        assert!(shown.contains(words), "{shown}");
    }
    // What nobody takes is visible, with the reason.
    let waiting = tally.api("/api/v1/deliveries?state=waiting");
    let mut waiting = waiting["items"].as_array().unwrap().iter();
    let dead = waiting.find(|one| one["to"] == "dead" && one["attempts"] != 0).unwrap();
    assert!(dead["last_error"].is_string(), "{dead}");
}

#[test]
fn a_missing_secret_is_told_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tally.toml"), configuration(1, 2, "NOT_SET")).unwrap();
    let mut command = crate::support::tally();
    command.current_dir(folder.path()).env("HOOK_SECRET", SECRET);
    let done = run(command.args(["serve", "--listen", "127.0.0.1:0"]), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("notify.slack `finance`: url_env"), "{done:?}");
    assert!(done.stderr.contains("NOT_SET is not set"), "{done:?}");
}
