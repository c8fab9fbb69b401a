//! The enclave of the README in Rust: greets with a secret of the broker.
#[path = "../../include/casemate.rs"]
mod casemate;
use casemate::{secret, Answer};

casemate::calls!(greet);

fn greet(name: &[u8]) -> Answer {
    let phrase = secret("default/greet/phrase")?;
    Ok([&phrase, &b", "[..], name, b"!"].concat())
}
