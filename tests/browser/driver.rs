//! As much of WebDriver as the tests need: `chromedriver` is started, told what to do, and ended.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The name that WebDriver gives the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Presses of keys as WebDriver writes them.
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const END: &str = "\u{e010}";

/// A browser without a window, which ends with it.
pub struct Browser {
    driver: Child,
    /// Kept, so that the driver has where to write to.
    _said: BufReader<ChildStdout>,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts one, which `chromedriver` finds.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(width: u32, dark: bool) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver can't be started: {error}"));
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let port = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            });
        let mut browser = Self {
            driver,
            _said: said,
            port: port.expect("chromedriver says its port"),
            session: String::new(),
        };
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                format!("--window-size={width},1000"),
                format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }),
            ],
        });
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.ask("POST", "/session", Some(&capabilities));
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// Opens a file, with a fragment.
    pub fn open(&self, page: &Path, fragment: &str) {
        // Only another address makes a browser load a page anew.
        self.post("/url", &json!({ "url": "about:blank" }));
        self.post(
            "/url",
            &json!({ "url": format!("file://{}{fragment}", page.display()) }),
        );
    }

    /// Runs a script on the page, and says what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Types into an element.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.post(
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    /// Clicks on an element, wherever a person would see it.
    pub fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Presses keys, whatever has the focus.
    pub fn press(&self, keys: &[&str]) {
        let presses = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key })));
        let presses: Vec<Value> = presses.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": presses });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// What the browser complained of: errors of scripts, violations of the content policy.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// The page on paper.
    pub fn print(&self) -> String {
        let pdf = self.post("/print", &json!({ "background": true }));
        pdf.as_str().unwrap().to_owned()
    }

    fn find(&self, selector: &str) -> String {
        let query = json!({ "using": "css selector", "value": selector });
        let element = self.post("/element", &query);
        element[ELEMENT].as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask(
            "POST",
            &format!("/session/{}{path}", self.session),
            Some(body),
        )
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let answer = self.exchange(method, path, body).unwrap();
        let value = &answer["value"];
        assert!(
            value.get("error").is_none(),
            "{method} {path}: {}: {}",
            value["error"],
            value["message"]
        );
        value.clone()
    }

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}",
            body.len()
        );
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
        // The driver leaves the connection open: the length tells where the answer ends.
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while answer.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            line.clear();
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body)?;
        serde_json::from_slice(&body).map_err(io::Error::other)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes the browser with it only when it is told to.
        let _ = self.exchange("DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
