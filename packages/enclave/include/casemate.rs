//! The calling convention of enclaves, version 1: see ABI.md. It stands in the root of a crate, as `mod casemate;`.
//! What is not used is not in the module.
#![allow(dead_code)]

use std::alloc::{alloc, Layout};

/// Of a call: bytes, or a status instead of them, which is not 0.
pub type Answer = Result<Vec<u8>, u32>;

/// Exports functions of the crate's root, `fn name(input: &[u8]) -> Answer`, as calls: `casemate::calls!(name, other);`
macro_rules! calls {
    ($($name:ident),+ $(,)?) => {
        mod casemate_calls {
            $(#[no_mangle]
            extern "C" fn $name(pointer: *const u8, length: usize) -> u64 {
                crate::casemate::answer(super::$name(crate::casemate::input(&pointer, length)))
            })+
        }
    };
}
pub(crate) use calls;

/// Statuses of the platform.
pub mod status {
    pub const NONE: u32 = 1;
    pub const SEAL_MALFORMED: u32 = 2;
    pub const SEAL_SVN_TOO_NEW: u32 = 3;
    pub const SEAL_CPU_SVN_TOO_NEW: u32 = 4;
    pub const SEAL_MAC_MISMATCH: u32 = 5;
    pub const INVALID_PARAMETER: u32 = 6;
    pub const SEAL_TRUNCATED: u32 = 7;
    pub const SEAL_ROOT_MISMATCH: u32 = 8;
    pub const SEAL_ENCLAVE_MISMATCH: u32 = 9;
    pub const SEAL_SIGNER_MISMATCH: u32 = 10;
    pub const SEAL_PRODUCT_MISMATCH: u32 = 11;
    pub const SEAL_DEBUG_MISMATCH: u32 = 12;
}

/// A line for the host to read: LEAVES THE ENCLAVE. At most 4,096 bytes each and 64 lines a call.
pub fn log(line: &str) {
    unsafe { platform::log(line.as_ptr(), line.len()) }
}

/// Lets a panic say why before it traps, through `log`.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| log(&panic.to_string())));
}

/// Fills with random bytes, fit for keys.
pub fn random(bytes: &mut [u8]) {
    unsafe { platform::random(bytes.as_mut_ptr(), bytes.len()) }
}

/// A setting of the manifest, which is measured.
pub fn config(name: &str) -> Option<String> {
    let value = take(unsafe { platform::config(name.as_ptr(), name.len()) }).ok()?;
    Some(String::from_utf8(value).expect("settings are UTF-8"))
}

/// A secret of the broker that the manifest declares.
pub fn secret(path: &str) -> Answer {
    take(unsafe { platform::secret(path.as_ptr(), path.len()) })
}

/// Who can open what was sealed.
pub enum Policy {
    /// Only this very code.
    MrEnclave = 1,
    /// Code of this signer and product id, of this security version or a newer one.
    MrSigner = 2,
}

/// Encrypts for this enclave's later self. Everybody can read the additional data, nobody can change it.
pub fn seal(plaintext: &[u8], policy: Policy, additional_data: &[u8]) -> Answer {
    let (a, b) = (plaintext, additional_data);
    take(unsafe { platform::seal(a.as_ptr(), a.len(), b.as_ptr(), b.len(), policy as u32) })
}

pub struct Unsealed {
    pub plaintext: Vec<u8>,
    pub additional_data: Vec<u8>,
}

/// Opens what was sealed for this enclave.
pub fn unseal(blob: &[u8]) -> Result<Unsealed, u32> {
    let mut opened = take(unsafe { platform::unseal(blob.as_ptr(), blob.len()) })?;
    let size = u32::from_le_bytes([opened[0], opened[1], opened[2], opened[3]]) as usize;
    let plaintext = opened.split_off(4 + size);
    opened.drain(..4);
    Ok(Unsealed { plaintext, additional_data: opened })
}

mod platform {
    #[link(wasm_import_module = "casemate")]
    extern "C" {
        pub fn log(text: *const u8, length: usize);
        pub fn random(bytes: *mut u8, length: usize);
        pub fn config(name: *const u8, length: usize) -> u64;
        pub fn secret(path: *const u8, length: usize) -> u64;
        pub fn seal(
            data: *const u8,
            length: usize,
            additional: *const u8,
            additional_length: usize,
            policy: u32,
        ) -> u64;
        pub fn unseal(blob: *const u8, length: usize) -> u64;
    }
}

#[no_mangle]
extern "C" fn casemate_alloc(length: usize) -> *mut u8 {
    match Layout::array::<u8>(length) {
        Ok(layout) if length > 0 => unsafe { alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

/// What `casemate_alloc` gave, or a result: both are vectors of exactly that size.
#[no_mangle]
extern "C" fn casemate_free(pointer: *mut u8, length: usize) {
    drop(unsafe { Vec::from_raw_parts(pointer, length, length) });
}

/// For `calls!`. The input stays with the platform until the call is over, as does the pointer to it.
pub fn input(pointer: &*const u8, length: usize) -> &[u8] {
    if length == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(*pointer, length) }
}

/// For `calls!`. The platform gives what it got back to `casemate_free`.
pub fn answer(answer: Answer) -> u64 {
    match answer {
        Ok(bytes) if bytes.is_empty() => 0,
        Ok(bytes) => {
            let bytes = Box::leak(bytes.into_boxed_slice());
            (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
        }
        Err(0) => panic!("a status is not 0"),
        Err(status) => status.into(),
    }
}

/// What the platform answered, which came from `casemate_alloc` and is the code's own from here on.
fn take(packed: u64) -> Answer {
    let (pointer, length) = ((packed >> 32) as usize as *mut u8, packed as u32 as usize);
    match (pointer.is_null(), length) {
        (true, 0) => Ok(Vec::new()),
        (true, status) => Err(status as u32),
        _ => Ok(unsafe { Vec::from_raw_parts(pointer, length, length) }),
    }
}
