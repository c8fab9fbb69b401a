// What differs between the versions of the protocol, each in the types that its guests were built with: what `attest`
// sends, what the evidence is bound to, and how a response is sealed.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kbs_types::{Attestation, CompositeEvidence, InitData, Response, RuntimeData};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const TAG_BYTES: usize = 16;

#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    V0_4_0,
    V0_2_0,
    V0_1_1,
}

/// A response taken apart.
pub struct Sealed {
    pub alg: String,
    /// All of the header but `alg` and `enc`.
    pub header: Map<String, Value>,
    pub encrypted_key: Vec<u8>,
    pub iv: Vec<u8>,
    pub ciphertext: Vec<u8>,
    pub tag: Vec<u8>,
    /// Of the header as serialised again; empty before 0.2.0.
    pub aad: Vec<u8>,
}

/// The header of 0.1.1, which is plain JSON.
#[derive(Deserialize)]
struct PlainHeader {
    alg: String,
}

impl Protocol {
    pub fn parse(version: &str) -> Result<Self> {
        Ok(match version {
            "0.4.0" => Self::V0_4_0,
            "0.2.0" => Self::V0_2_0,
            "0.1.1" => Self::V0_1_1,
            _ => bail!("there is no protocol {version}"),
        })
    }

    pub fn version(self) -> &'static str {
        match self {
            Self::V0_4_0 => "0.4.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_1_1 => "0.1.1",
        }
    }

    /// What the evidence holds the digest of. No devices: 0.4.0 has `additional-evidence` as the empty string.
    pub fn bound(self, runtime_data: &RuntimeData) -> Result<Vec<u8>> {
        let mut bound = json!({ "tee-pubkey": runtime_data.tee_pubkey, "nonce": runtime_data.nonce });
        if self != Self::V0_4_0 {
            return Ok(serde_json::to_vec(&bound)?);
        }
        bound["additional-evidence"] = json!("");
        Ok(serde_json_canonicalizer::to_vec(&bound)?)
    }

    /// The body of `attest`. Before 0.4.0 there is no init-data, and the nonce is in the evidence alone.
    pub fn attestation(
        self,
        runtime_data: RuntimeData,
        evidence: Value,
        init_data: Option<String>,
    ) -> Result<Value> {
        let key = serde_json::to_value(&runtime_data.tee_pubkey)?;
        Ok(match self {
            Self::V0_4_0 => serde_json::to_value(Attestation {
                init_data: init_data.map(|body| InitData { format: "toml".to_owned(), body }),
                runtime_data,
                tee_evidence: CompositeEvidence {
                    primary_evidence: evidence,
                    additional_evidence: String::new(),
                },
            })?,
            Self::V0_2_0 => serde_json::to_value(kbs_types_of_0_2_0::Attestation {
                tee_pubkey: serde_json::from_value(key)?,
                tee_evidence: evidence,
            })?,
            Self::V0_1_1 => serde_json::to_value(kbs_types_of_0_1_1::Attestation {
                tee_pubkey: serde_json::from_value(key)?,
                tee_evidence: evidence,
            })?,
        })
    }

    pub fn open(self, body: &str) -> Result<Sealed> {
        match self {
            Self::V0_4_0 => {
                let jwe: Response = serde_json::from_str(body)?;
                let aad = jwe.protected.generate_aad()?;
                let Response { protected, encrypted_key, iv, ciphertext, tag, .. } = jwe;
                Ok(Sealed {
                    alg: protected.alg,
                    header: protected.other_fields,
                    encrypted_key,
                    iv,
                    ciphertext,
                    tag,
                    aad,
                })
            }
            Self::V0_2_0 => {
                let jwe: kbs_types_of_0_2_0::Response = serde_json::from_str(body)?;
                let aad = jwe.protected.generate_aad()?;
                let kbs_types_of_0_2_0::Response { protected, encrypted_key, iv, ciphertext, tag, .. } = jwe;
                Ok(Sealed {
                    alg: protected.alg,
                    header: protected.other_fields,
                    encrypted_key,
                    iv,
                    ciphertext,
                    tag,
                    aad,
                })
            }
            Self::V0_1_1 => open_0_1_1(serde_json::from_str(body)?),
        }
    }
}

/// The tag follows the ciphertext, and nothing is authenticated beside it.
fn open_0_1_1(jwe: kbs_types_of_0_1_1::Response) -> Result<Sealed> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).context("not base64url");
    let PlainHeader { alg } = serde_json::from_str(&jwe.protected).context("protected")?;
    let mut ciphertext = decode(&jwe.ciphertext)?;
    ensure!(ciphertext.len() >= TAG_BYTES, "a ciphertext without a tag");
    let tag = ciphertext.split_off(ciphertext.len() - TAG_BYTES);
    Ok(Sealed {
        alg,
        header: Map::new(),
        encrypted_key: decode(&jwe.encrypted_key)?,
        iv: decode(&jwe.iv)?,
        ciphertext,
        tag,
        aad: Vec::new(),
    })
}
