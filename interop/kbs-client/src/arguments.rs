// `--name value` pairs anywhere, and the words of the command between them.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

const NAMES: &[&str] = &[
    "admin-token-file",
    "as",
    "attestation-token",
    "hardware",
    "id",
    "initdata",
    "key",
    "list",
    "name",
    "path",
    "protocol",
    "resource-file",
    "tee",
    "tee-key-file",
    "url",
    "value",
];

pub struct Arguments {
    pub command: Vec<String>,
    options: HashMap<String, String>,
}

impl Arguments {
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut parsed = Self { command: Vec::new(), options: HashMap::new() };
        let mut words = words;
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                parsed.command.push(word);
                continue;
            };
            if !NAMES.contains(&name) {
                bail!("there is no option --{name}");
            }
            let value = words.next().with_context(|| format!("--{name} has no value"))?;
            parsed.options.insert(name.to_owned(), value);
        }
        Ok(parsed)
    }

    pub fn url(&self) -> &str {
        self.optional("url").unwrap_or("http://127.0.0.1:8080").trim_end_matches('/')
    }

    pub fn optional(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str> {
        self.optional(name).with_context(|| format!("--{name} is required"))
    }

    /// The text of the file that an option names.
    pub fn file(&self, name: &str) -> Result<Option<String>> {
        let Some(path) = self.optional(name) else { return Ok(None) };
        std::fs::read_to_string(path).with_context(|| format!("--{name} {path}")).map(Some)
    }
}
