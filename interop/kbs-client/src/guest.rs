// The handshake (request, challenge, attestation, response) and the fetch of a resource, with every status treated as
// the guest's client treats it: 200 alone is success; what a 401 means depends on where it comes.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kbs_types::{
    Attestation, Challenge, CompositeEvidence, HashAlgorithm, InitData, Request, Response, RuntimeData, Tee,
};
use reqwest::StatusCode;
use reqwest::blocking::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::evidence::Attester;
use crate::keys::TeeKey;
use crate::token::Token;
use crate::wire::{self, PREFIX, tell};

const PROTOCOL_VERSION: &str = "0.4.0";
const USER_AGENT: &str = "attestation-agent-kbs-client/0.1.0";

/// `attest` starts again from the beginning this often, whatever went wrong.
const MAX_HANDSHAKES: u32 = 5;
const HANDSHAKE_INTERVAL: Duration = Duration::from_secs(1);

/// Each attempt but the last may be followed by a handshake.
const MAX_FETCHES: u32 = 3;

pub struct Guest {
    url: String,
    http: Client,
    key: TeeKey,
    attester: Attester,
    init_data: Option<String>,
    token: Option<Token>,
    /// A token that came from elsewhere cannot be renewed here.
    bears_token: bool,
}

#[derive(Deserialize)]
struct AttestationResponse {
    token: String,
}

impl Guest {
    pub fn new(url: &str, key: TeeKey, attester: Attester, init_data: Option<String>) -> Result<Self> {
        let http = wire::client(USER_AGENT)?;
        Ok(Self { url: url.to_owned(), http, key, attester, init_data, token: None, bears_token: false })
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
        let jwe: Response = serde_json::from_str(body).context("the answer is no KBS response")?;
        let received = serde_json::from_str::<Value>(body)?["protected"].clone();
        tell(json!({ "protected": received, "aad": String::from_utf8(jwe.protected.generate_aad()?)? }));
        self.key.decrypt(jwe).context("decrypt the KBS response")
    }

    fn handshake(&mut self) -> Result<()> {
        let challenge: Challenge = self.post(
            "auth",
            &Request {
                version: PROTOCOL_VERSION.to_owned(),
                tee: self.attester.tee(),
                extra_params: json!({ "supported-hash-algorithms": HashAlgorithm::list_all() }),
            },
        )?;
        let hash = selected_hash(&challenge.extra_params)?;
        let runtime_data = RuntimeData { nonce: challenge.nonce, tee_pubkey: self.key.public()? };
        let tee_evidence = self.evidence(&runtime_data, hash)?;
        let init_data = self.init_data.clone().map(|body| InitData { format: "toml".to_owned(), body });
        let attested: AttestationResponse =
            self.post("attest", &Attestation { init_data, runtime_data, tee_evidence })?;
        self.token = Some(Token::parse(&attested.token)?);
        Ok(())
    }

    /// No devices: `additional-evidence` is the empty string, and its member is there all the same.
    fn evidence(&self, runtime_data: &RuntimeData, hash: HashAlgorithm) -> Result<CompositeEvidence> {
        if self.attester.tee() == Tee::Se {
            bail!("SE hashes otherwise");
        }
        let additional_evidence = String::new();
        let bound = serde_json_canonicalizer::to_vec(&json!({
            "tee-pubkey": runtime_data.tee_pubkey,
            "nonce": runtime_data.nonce,
            "additional-evidence": additional_evidence,
        }))?;
        let primary_evidence = self.attester.evidence(hash.digest(&bound))?;
        Ok(CompositeEvidence { primary_evidence, additional_evidence })
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
