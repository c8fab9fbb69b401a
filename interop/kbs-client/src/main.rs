// A guest of the Confidential Containers KBS protocol, of published crates alone: the wire types are kbs-types,
// as in the real guest. It shares no code with the broker, whose wire is tested with it.
// Standard output is what kbs-client prints; standard error has one line of JSON for each HTTP exchange.

mod administration;
mod arguments;
mod evidence;
mod guest;
mod keys;
mod protocol;
mod token;
mod wire;

use anyhow::{Context, Result, bail};
use arguments::Arguments;
use base64::{Engine, engine::general_purpose::STANDARD};
use evidence::Attester;
use guest::{Guest, Identity};
use keys::TeeKey;
use protocol::Protocol;

const USAGE: &str = "kbs-interop-client [--url URL] [--protocol 0.4.0|0.2.0|0.1.1] [--hardware URL --tee tdx|sgx|snp]
  attest       [--key KEY | --tee-key-file PEM] [--initdata TOML]
  get-resource --path repository/type/tag [--key KEY | --tee-key-file PEM [--attestation-token FILE]] [--initdata TOML]
  config       [--admin-token-file FILE] set-resource --path PATH --resource-file FILE
  config       [--admin-token-file FILE] delete-resource --path PATH
  config       [--admin-token-file FILE] set-sample-reference-value --name NAME --value VALUE [--as integer|bool]
               [--list yes|no]
  config       [--admin-token-file FILE] get-reference-value --id NAME
  trustee-attester get-resource --path repository/type/tag [--key KEY] [--initdata TOML]
KEY is ec-p256, ec-p521, rsa-oaep or ml-kem. Without --hardware the evidence is that of the sample attester.";

fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1)).context(USAGE)?;
    match arguments.command.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["attest"] => println!("{}", guest(&arguments)?.attest()?),
        ["get-resource"] => {
            let mut guest = guest(&arguments)?;
            if let Some(token) = arguments.file("attestation-token")? {
                guest.take_token(token.trim())?;
            }
            println!("{}", STANDARD.encode(guest.get_resource(arguments.required("path")?)?));
        }
        ["trustee-attester", "get-resource"] => {
            let mut guest = guest(&arguments)?;
            // It makes a path that begins with a slash of a bare one, and attests before it asks.
            let path = format!("/{}", arguments.required("path")?.trim_start_matches('/'));
            guest.attest()?;
            println!("{}", STANDARD.encode(guest.get_resource(&path)?));
        }
        ["config", command] => administration::run(command, &arguments)?,
        _ => bail!("{USAGE}"),
    }
    Ok(())
}

fn guest(arguments: &Arguments) -> Result<Guest> {
    let key = match arguments.file("tee-key-file")? {
        Some(pem) => TeeKey::from_pem(&pem)?,
        None => TeeKey::generate(arguments.optional("key").unwrap_or("ec-p256"))?,
    };
    let attester = match arguments.optional("hardware") {
        Some(url) => Attester::hardware(arguments.required("tee")?, url)?,
        None => Attester::Sample,
    };
    let protocol = Protocol::parse(arguments.optional("protocol").unwrap_or("0.4.0"))?;
    let init_data = arguments.file("initdata")?;
    Guest::new(arguments.url(), Identity { protocol, key, attester, init_data })
}
