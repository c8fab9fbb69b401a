// Evidence as the guest's attesters make it (sample, tdx, sgx, snp). The hardware is a server on loopback: it is given
// the report data and answers with the raw quote or report, as a driver does; all JSON around it is made here.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use kbs_types::Tee;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sev::firmware::guest::AttestationReport;
use sev::firmware::host::{CertTableEntry, CertType};
use sev::parser::ByteParser;

const REPORT_DATA_BYTES: usize = 64;

pub enum Attester {
    Sample,
    Hardware { tee: Tee, url: String },
}

/// What the hardware answers; all in base64.
#[derive(Deserialize)]
struct Report {
    outblob: String,
    /// DER of the VCEK, which the host gives to SNP guests.
    vcek: Option<String>,
    /// The event log of the firmware, which Linux gives to TDX guests.
    ccel: Option<String>,
}

#[derive(Serialize)]
struct SampleEvidence {
    svn: String,
    report_data: String,
}

#[derive(Serialize)]
struct TdxEvidence {
    cc_eventlog: Option<String>,
    quote: String,
}

#[derive(Serialize)]
struct SgxEvidence {
    quote: String,
}

#[derive(Serialize)]
struct SnpEvidence {
    attestation_report: AttestationReport,
    cert_chain: Option<Vec<CertTableEntry>>,
}

impl Attester {
    pub fn hardware(tee: &str, url: &str) -> Result<Self> {
        match tee.parse() {
            Ok(tee @ (Tee::Tdx | Tee::Sgx | Tee::Snp)) => Ok(Self::Hardware { tee, url: url.to_owned() }),
            _ => bail!("there is no hardware for {tee}"),
        }
    }

    pub fn tee(&self) -> Tee {
        match self {
            Self::Sample => Tee::Sample,
            Self::Hardware { tee, .. } => *tee,
        }
    }

    /// `primary_evidence` for a digest of the runtime data, which is padded with zeros where hardware takes 64 bytes.
    pub fn evidence(&self, mut digest: Vec<u8>) -> Result<Value> {
        let Self::Hardware { tee, url } = self else {
            let report_data = STANDARD.encode(digest);
            return Ok(serde_json::to_value(SampleEvidence { svn: "1".to_owned(), report_data })?);
        };
        ensure!(digest.len() <= REPORT_DATA_BYTES, "report data of {} bytes", digest.len());
        digest.resize(REPORT_DATA_BYTES, 0);
        let report = take_report(*tee, url, digest)?;
        let quote = report.outblob.clone();
        Ok(match tee {
            Tee::Tdx => serde_json::to_value(TdxEvidence { cc_eventlog: report.ccel, quote })?,
            Tee::Sgx => serde_json::to_value(SgxEvidence { quote })?,
            _ => serde_json::to_value(snp(&report)?)?,
        })
    }
}

fn take_report(tee: Tee, url: &str, report_data: Vec<u8>) -> Result<Report> {
    let answer = reqwest::blocking::Client::new().post(format!("{url}/{tee}")).body(report_data).send()?;
    Ok(answer.error_for_status().context("hardware")?.json()?)
}

fn snp(report: &Report) -> Result<SnpEvidence> {
    let attestation_report = AttestationReport::from_bytes(&STANDARD.decode(&report.outblob)?)?;
    let cert_chain = match &report.vcek {
        Some(der) => Some(vec![CertTableEntry::new(CertType::VCEK, STANDARD.decode(der)?)]),
        None => None,
    };
    Ok(SnpEvidence { attestation_report, cert_chain })
}
