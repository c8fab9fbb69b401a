//! One enclave that uses all of the platform; assembly/everything.ts and everything.c are the same one.
#[path = "../../../packages/enclave/include/casemate.rs"]
mod casemate;
use casemate::{Answer, Policy};
use std::sync::Mutex;

casemate::calls!(greet, refuse, setting, draw, say, lock, open, keep, crash, starve);

static FIRST: Mutex<Option<Vec<u8>>> = Mutex::new(None);

#[no_mangle]
extern "C" fn _initialize() {
    casemate::log_panics();
}

fn greet(name: &[u8]) -> Answer {
    let phrase = casemate::secret("default/greet/phrase")?;
    Ok([&phrase, &b", "[..], name, b"!"].concat())
}

fn refuse(input: &[u8]) -> Answer {
    if input.is_empty() { Err(7) } else { Ok(input.to_vec()) }
}

fn setting(name: &[u8]) -> Answer {
    let name = String::from_utf8_lossy(name);
    Ok(casemate::config(&name).unwrap_or_else(|| "none".to_string()).into_bytes())
}

fn draw(input: &[u8]) -> Answer {
    let mut bytes = vec![0; input[0].into()];
    casemate::random(&mut bytes);
    Ok(bytes)
}

fn say(line: &[u8]) -> Answer {
    casemate::log(&String::from_utf8_lossy(line));
    Ok(Vec::new())
}

fn lock(input: &[u8]) -> Answer {
    casemate::seal(input, Policy::MrSigner, b"label")
}

fn open(blob: &[u8]) -> Answer {
    let opened = casemate::unseal(blob)?;
    Ok([&opened.additional_data, &b":"[..], &opened.plaintext].concat())
}

/// Keeps its first input, and answers it ever after.
fn keep(input: &[u8]) -> Answer {
    let mut first = FIRST.lock().unwrap();
    Ok(first.get_or_insert_with(|| input.to_vec()).clone())
}

fn crash(_input: &[u8]) -> Answer {
    panic!("no way")
}

fn starve(_input: &[u8]) -> Answer {
    let mut all = Vec::new();
    loop {
        all.push(vec![1_u8; 1 << 20]);
    }
}
