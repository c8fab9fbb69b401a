// What kbs-client's `config` sends, with an administrator's bearer token; anything but 200 is a failure.

use anyhow::{Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::wire::{self, PREFIX};

pub fn run(command: &str, arguments: &Arguments) -> Result<()> {
    let http = wire::client("kbs-client/0.1.0")?;
    let url = |path: &str| format!("{}/{PREFIX}/{path}", arguments.url());
    match command {
        "set-resource" => {
            let resource = std::fs::read(arguments.required("resource-file")?)?;
            let request = http
                .post(url(&format!("resource/{}", arguments.required("path")?)))
                .header("content-type", "application/octet-stream")
                .body(resource.clone());
            send(request, arguments)?;
            println!("Set resource success \n resource: {}", STANDARD.encode(resource));
        }
        "delete-resource" => {
            let path = arguments.required("path")?;
            send(http.delete(url(&format!("resource/{path}"))), arguments)?;
            println!("Delete resource success \n resource: {path}");
        }
        "set-sample-reference-value" => {
            let values = json!({ arguments.required("name")?: value(arguments)? });
            let message = json!({
                "version": "0.1.0",
                "type": "sample",
                "payload": STANDARD.encode(values.to_string()),
            });
            send(http.post(url("reference-value")).json(&message), arguments)?;
            println!("Reference Values Updated");
        }
        "get-reference-value" => {
            let id = arguments.required("id")?;
            println!("{}", send(http.get(url(&format!("reference-value/{id}"))), arguments)?);
        }
        _ => bail!("there is no command config {command}"),
    }
    Ok(())
}

/// A text unless `--as` says otherwise, in a list of its own unless `--list no` does.
fn value(arguments: &Arguments) -> Result<Value> {
    let text = arguments.required("value")?;
    let single = match arguments.optional("as") {
        None => json!(text),
        Some("integer") => json!(text.parse::<i32>()?),
        Some("bool") => json!(text.parse::<bool>()?),
        Some(other) => bail!("there is no type {other}"),
    };
    Ok(if arguments.optional("list") == Some("no") { single } else { json!([single]) })
}

fn send(request: RequestBuilder, arguments: &Arguments) -> Result<String> {
    let request = match arguments.file("admin-token-file")? {
        Some(token) => request.bearer_auth(token.trim()),
        None => request,
    };
    let answer = wire::send(request)?;
    if answer.status != StatusCode::OK {
        bail!("Request Failed, Response: {:?}", answer.body);
    }
    Ok(answer.body)
}
