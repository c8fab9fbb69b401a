// The handshake (request, challenge, attestation, response) and the fetch of a resource, with every status treated as
// the guest's client treats it: 200 alone is success; what a 401 means depends on where it comes.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kbs_types::{Challenge, HashAlgorithm, Request, RuntimeData, Tee};
use reqwest::StatusCode;
use reqwest::blocking::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::evidence::Attester;
use crate::keys::TeeKey;
use crate::protocol::Protocol;
use crate::token::Token;
use crate::wire::{self, PREFIX, tell};

const USER_AGENT: &str = "attestation-agent-kbs-client/0.1.0";

/// `attest` starts again from the beginning this often, whatever went wrong.
const MAX_HANDSHAKES: u32 = 5;
const HANDSHAKE_INTERVAL: Duration = Duration::from_secs(1);

/// Each attempt but the last may be followed by a handshake.
const MAX_FETCHES: u32 = 3;

/// What a guest is, whatever it asks for.
pub struct Identity {
    pub protocol: Protocol,
    pub key: TeeKey,
    pub attester: Attester,
    pub init_data: Option<String>,
}

pub struct Guest {
    url: String,
    http: Client,
    identity: Identity,
    token: Option<Token>,
    /// A token that came from elsewhere cannot be renewed here.
    bears_token: bool,
}

#[derive(Deserialize)]
struct AttestationResponse {
    token: String,
}

impl Guest {
    pub fn new(url: &str, identity: Identity) -> Result<Self> {
        let http = wire::client(USER_AGENT)?;
        Ok(Self { url: url.to_owned(), http, identity, token: None, bears_token: false })
    }

    pub fn take_token(&mut self, token: &str) -> Result<()> {
        self.token = Some(Token::parse(token)?);
        self.bears_token = true;
        Ok(())
    }

    /// The attestation result, after as many handshakes as it takes.
    pub fn attest(&mut self) -> Result<String> {
        for attempt in 1.. {
            match self.handshake() {
                Ok(()) => break,
                Err(error) if attempt == MAX_HANDSHAKES => {
                    return Err(error.context(format!("RCAR handshake retried {MAX_HANDSHAKES} times")));
                }
                Err(_) => sleep(HANDSHAKE_INTERVAL),
            }
        }
        Ok(self.token.as_ref().context("a handshake without a token")?.content.clone())
    }

    pub fn get_resource(&mut self, path: &str) -> Result<Vec<u8>> {
        let url = format!("{}/{PREFIX}/resource/{path}", self.url);
        for _ in 0..MAX_FETCHES {
            let mut request = self.http.get(&url);
            if let Some(token) = self.token.as_ref().filter(|_| self.bears_token) {
                request = request.bearer_auth(&token.content);
            }
            let answer = wire::send(request)?;
            match answer.status {
                StatusCode::OK => return self.open(&answer.body),
                StatusCode::UNAUTHORIZED => {
                    let information = answer.error_information()?;
                    if self.bears_token {
                        bail!("the token is not taken: {information:?}");
                    }
                    self.token = None;
                    self.handshake()?;
                }
                StatusCode::NOT_FOUND => {
                    bail!("KBS resource Not Found (Error 404): {:?}", answer.error_information()?)
                }
                _ => bail!("KBS Server Internal Failed, Response: {:?}", answer.error_information()?),
            }
        }
        bail!("unauthorized after {MAX_FETCHES} attempts")
    }

    fn open(&self, body: &str) -> Result<Vec<u8>> {
        let Identity { protocol, key, .. } = &self.identity;
        let sealed = protocol.open(body).context("the answer is no KBS response")?;
        let received = serde_json::from_str::<Value>(body)?["protected"].clone();
        tell(json!({ "protected": received, "aad": String::from_utf8_lossy(&sealed.aad) }));
        key.decrypt(sealed).context("decrypt the KBS response")
    }

    fn handshake(&mut self) -> Result<()> {
        let Identity { protocol, key, attester, init_data } = &self.identity;
        ensure!(attester.tee() != Tee::Se, "SE hashes otherwise");
        let request = Request {
            version: protocol.version().to_owned(),
            tee: attester.tee(),
            extra_params: json!({ "supported-hash-algorithms": HashAlgorithm::list_all() }),
        };
        let challenge: Challenge = self.post("auth", &request)?;
        let hash = selected_hash(&challenge.extra_params)?;
        let runtime_data = RuntimeData { nonce: challenge.nonce, tee_pubkey: key.public(*protocol)? };
        let evidence = attester.evidence(hash.digest(&protocol.bound(&runtime_data)?))?;
        let body = protocol.attestation(runtime_data, evidence, init_data.clone())?;
        let attested: AttestationResponse = self.post("attest", &body)?;
        self.token = Some(Token::parse(&attested.token)?);
        Ok(())
    }

    fn post<T: for<'de> Deserialize<'de>>(&self, step: &str, body: &impl Serialize) -> Result<T> {
        let answer = wire::send(self.http.post(format!("{}/{PREFIX}/{step}", self.url)).json(body))?;
        match answer.status {
            StatusCode::OK => serde_json::from_str(&answer.body)
                .with_context(|| format!("the answer to {step}: {}", answer.body)),
            StatusCode::UNAUTHORIZED => bail!("KBS {step} unauthorized: {:?}", answer.error_information()?),
            _ => bail!("KBS Server Internal Failed, Response: {:?}", answer.body),
        }
    }
}

fn selected_hash(extra_params: &Value) -> Result<HashAlgorithm> {
    let Some(selected) = extra_params.get("selected-hash-algorithm") else {
        return Ok(HashAlgorithm::Sha384);
    };
    let name = selected.as_str().with_context(|| format!("{selected} is no name"))?.to_lowercase();
    name.parse().ok().with_context(|| format!("there is no hash algorithm {name}"))
}
