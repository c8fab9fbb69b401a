// The attestation result as the guest reads it before it keeps it: claims parsed by jwt-simple, without verification.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jwt_simple::claims::JWTClaims;
use jwt_simple::prelude::Clock;
use serde_json::Value;

pub struct Token {
    pub content: String,
}

impl Token {
    pub fn parse(content: &str) -> Result<Self> {
        let payload = content.split('.').nth(1).context("a token without a payload")?;
        let claims: JWTClaims<Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
        let now = Clock::now_since_epoch();
        let is_over = claims.expires_at.is_some_and(|end| end < now);
        let is_early = claims.invalid_before.is_some_and(|start| start > now);
        anyhow::ensure!(!is_over && !is_early, "the token is not valid at present");
        Ok(Self { content: content.to_owned() })
    }
}
