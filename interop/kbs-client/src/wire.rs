// One HTTP exchange at a time, each told on standard error; a cookie jar for each guest, as the guest's client has it.

use std::time::Duration;

use anyhow::{Context, Result};
use kbs_types::ErrorInformation;
use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

pub const PREFIX: &str = "kbs/v0";

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

pub struct Answer {
    pub status: StatusCode,
    pub body: String,
}

pub fn client(user_agent: &str) -> Result<Client> {
    Ok(Client::builder().cookie_store(true).user_agent(user_agent).timeout(REQUEST_TIMEOUT).build()?)
}

pub fn send(request: RequestBuilder) -> Result<Answer> {
    let response = request.send()?;
    let url = response.url().path().to_owned();
    let status = response.status();
    let cookies = response.headers().get_all("set-cookie").iter().count();
    let content_type =
        response.headers().get("content-type").map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    let body = response.text()?;
    let error =
        (status != StatusCode::OK).then(|| serde_json::from_str::<Value>(&body).unwrap_or(Value::Null));
    tell(json!({
        "path": url,
        "status": status.as_u16(),
        "contentType": content_type,
        "cookies": cookies,
        "error": error,
    }));
    Ok(Answer { status, body })
}

impl Answer {
    /// What the guest does with every body that it takes for an error: a body of another shape is a failure of its own.
    pub fn error_information(&self) -> Result<ErrorInformation> {
        serde_json::from_str(&self.body)
            .with_context(|| format!("the body of a {} is no ErrorInformation: {:?}", self.status, self.body))
    }
}

pub fn tell(line: Value) {
    eprintln!("{line}");
}
