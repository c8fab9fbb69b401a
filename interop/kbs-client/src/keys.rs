// The TEE's key pair: its public half as `tee-pubkey`, and what it takes to open a response sealed to it.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_kw::{KekAes192, KekAes256};
use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kbs_types::TeePubKey;
use ml_kem::kem::{Decapsulate, Kem, KeyExport};
use ml_kem::{DecapsulationKey, EncapsulationKey, MlKem768};
use p256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use p256::pkcs8::DecodePrivateKey;
use rand_core::OsRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, Pkcs1v15Encrypt, RsaPrivateKey};
use serde_json::Value;
use sha2::Sha256;
use tiny_keccak::{Hasher, Kmac};

use crate::protocol::{Protocol, Sealed};

const ECDH: &str = "ECDH-ES+A256KW";
const RSA: &str = "RSA-OAEP-256";
/// What guests of 0.1.1 ask for, and no other.
const RSA_1_5: &str = "RSA1_5";
const ML_KEM: &str = "ML-KEM-768+A192KW";

const RSA_BITS: usize = 2048;
const CEK_BYTES: usize = 32;
const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

pub enum TeeKey {
    P256(p256::SecretKey),
    P521(p521::SecretKey),
    Rsa(Box<RsaPrivateKey>),
    MlKem(Box<DecapsulationKey<MlKem768>>, Box<EncapsulationKey<MlKem768>>),
}

impl TeeKey {
    pub fn generate(name: &str) -> Result<Self> {
        Ok(match name {
            "ec-p256" => Self::P256(p256::SecretKey::random(&mut OsRng)),
            "ec-p521" => Self::P521(p521::SecretKey::random(&mut OsRng)),
            "rsa-oaep" => Self::Rsa(Box::new(RsaPrivateKey::new(&mut OsRng, RSA_BITS)?)),
            "ml-kem" => {
                let (private, public) = MlKem768::generate_keypair();
                Self::MlKem(Box::new(private), Box::new(public))
            }
            _ => bail!("there is no kind of key {name}"),
        })
    }

    /// PKCS #1 for RSA, PKCS #8 for EC.
    pub fn from_pem(pem: &str) -> Result<Self> {
        if let Ok(key) = RsaPrivateKey::from_pkcs1_pem(pem) {
            return Ok(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_pem(pem) {
            return Ok(Self::P256(key));
        }
        p521::SecretKey::from_pkcs8_pem(pem)
            .map(Self::P521)
            .map_err(|error| anyhow!("not a TEE key: {error}"))
    }

    pub fn public(&self, protocol: Protocol) -> Result<TeePubKey> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let ec = |crv: &str, x: Option<&[u8]>, y: Option<&[u8]>| -> Result<TeePubKey> {
            Ok(TeePubKey::EC {
                crv: crv.to_owned(),
                alg: ECDH.to_owned(),
                x: encode(x.context("x")?),
                y: encode(y.context("y")?),
            })
        };
        match self {
            Self::P256(key) => {
                let point = key.public_key().to_encoded_point(false);
                ec("P-256", point.x().map(AsRef::as_ref), point.y().map(AsRef::as_ref))
            }
            Self::P521(key) => {
                let point = key.public_key().to_encoded_point(false);
                ec("P-521", point.x().map(AsRef::as_ref), point.y().map(AsRef::as_ref))
            }
            Self::Rsa(key) => Ok(TeePubKey::RSA {
                alg: if protocol == Protocol::V0_1_1 { RSA_1_5 } else { RSA }.to_owned(),
                k_mod: encode(&key.n().to_bytes_be()),
                k_exp: encode(&key.e().to_bytes_be()),
            }),
            Self::MlKem(_, public) => {
                Ok(TeePubKey::AKP { alg: ML_KEM.to_owned(), public_key: encode(&public.to_bytes()) })
            }
        }
    }

    pub fn decrypt(&self, sealed: Sealed) -> Result<Vec<u8>> {
        let cek = self.unwrap(&sealed)?;
        let Sealed { iv, tag, aad, ciphertext: mut content, .. } = sealed;
        ensure!(cek.len() == CEK_BYTES && iv.len() == IV_BYTES && tag.len() == TAG_BYTES, "sizes");
        Aes256Gcm::new(cek.as_slice().into())
            .decrypt_in_place_detached(iv.as_slice().into(), &aad, &mut content, tag.as_slice().into())
            .map_err(|_| anyhow!("AES-GCM: the tag does not fit"))?;
        Ok(content)
    }

    fn unwrap(&self, Sealed { alg, header, encrypted_key: wrapped, .. }: &Sealed) -> Result<Vec<u8>> {
        match (self, alg.as_str()) {
            (Self::P256(_) | Self::P521(_), ECDH) => {
                let kek = concat_kdf(&self.agree(header)?)?;
                let kek = KekAes256::from(kek);
                kek.unwrap_vec(wrapped).map_err(|error| anyhow!("AES-KW: {error:?}"))
            }
            (Self::Rsa(key), RSA) => Ok(key.decrypt(Oaep::new::<Sha256>(), wrapped)?),
            (Self::Rsa(key), RSA_1_5) => Ok(key.decrypt(Pkcs1v15Encrypt, wrapped)?),
            (Self::MlKem(private, _), ML_KEM) => {
                let ciphertext = member(header.get("ek"), "ek")?;
                let shared = private
                    .decapsulate_slice(&ciphertext)
                    .map_err(|_| anyhow!("ek of {} bytes", ciphertext.len()))?;
                let kek = KekAes192::from(kmac_kdf(&shared));
                kek.unwrap_vec(wrapped).map_err(|error| anyhow!("AES-KW: {error:?}"))
            }
            (_, alg) => bail!("alg {alg} is not for this key"),
        }
    }

    /// ECDH with `epk`, which has to be on the key's own curve.
    fn agree(&self, header: &serde_json::Map<String, Value>) -> Result<Vec<u8>> {
        let epk = header.get("epk").context("no epk")?;
        let (x, y) = (member(epk.get("x"), "x")?, member(epk.get("y"), "y")?);
        let crv = epk.get("crv").and_then(Value::as_str).context("no crv")?;
        match self {
            Self::P256(key) => {
                ensure!(crv == "P-256" && x.len() == 32 && y.len() == 32, "epk is not on P-256");
                let point = p256::EncodedPoint::from_affine_coordinates(
                    x.as_slice().into(),
                    y.as_slice().into(),
                    false,
                );
                let public = Option::from(p256::PublicKey::from_encoded_point(&point));
                let public: p256::PublicKey = public.context("epk is no point")?;
                Ok(p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), public.as_affine())
                    .raw_secret_bytes()
                    .to_vec())
            }
            Self::P521(key) => {
                ensure!(crv == "P-521" && x.len() == 66 && y.len() == 66, "epk is not on P-521");
                let point = p521::EncodedPoint::from_affine_coordinates(
                    x.as_slice().into(),
                    y.as_slice().into(),
                    false,
                );
                let public = Option::from(p521::PublicKey::from_encoded_point(&point));
                let public: p521::PublicKey = public.context("epk is no point")?;
                Ok(p521::ecdh::diffie_hellman(key.to_nonzero_scalar(), public.as_affine())
                    .raw_secret_bytes()
                    .to_vec())
            }
            _ => bail!("not an EC key"),
        }
    }
}

fn member(value: Option<&Value>, name: &str) -> Result<Vec<u8>> {
    let text = value.and_then(Value::as_str).with_context(|| format!("the header has no string {name}"))?;
    URL_SAFE_NO_PAD.decode(text).with_context(|| format!("{name} is not base64url"))
}

/// RFC 7518, 4.6.2: AlgorithmID, empty PartyUInfo and PartyVInfo, SuppPubInfo of 256 bits.
fn concat_kdf(shared: &[u8]) -> Result<[u8; 32]> {
    let mut info = prefixed(ECDH);
    info.extend([0u32, 0, 256].map(u32::to_be_bytes).concat());
    let mut kek = [0; 32];
    concat_kdf::derive_key_into::<Sha256>(shared, &info, &mut kek)
        .map_err(|error| anyhow!("Concat KDF: {error:?}"))?;
    Ok(kek)
}

/// draft-ietf-jose-pqc-kem-05, 5.1: KMAC256 over AlgorithmID and SuppPubInfo of 192 bits, no customisation.
fn kmac_kdf(shared: &[u8]) -> [u8; 24] {
    let mut kmac = Kmac::v256(shared, b"");
    kmac.update(&prefixed(ML_KEM));
    kmac.update(&192u32.to_be_bytes());
    let mut kek = [0; 24];
    kmac.finalize(&mut kek);
    kek
}

fn prefixed(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}
