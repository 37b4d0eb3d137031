//! What an agent reads to a caller, and the page that belongs to a call: the queue's, else the account's.

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::LiveCall;
use crate::base::id::CallId;
use crate::base::page_template::{self, CallFacts};
use crate::control::CallScript;

/// What opens a page in the browser of the desktop.
#[cfg(target_os = "macos")]
const OPENER: &[&str] = &["open"];
#[cfg(windows)]
const OPENER: &[&str] = &["rundll32", "url.dll,FileProtocolHandler"];
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: &[&str] = &["xdg-open"];

impl Engine {
    /// What belongs to a call; none where neither its queue nor its account has anything.
    pub(super) fn script_of(&self, call: &LiveCall) -> Option<CallScript> {
        let account = call.account.and_then(|id| self.account(id));
        let account = account.map(|live| &live.account);
        let queue = call.reception.facts.as_ref();
        let queue = queue.and_then(|facts| facts.routing.queue.as_ref());
        let queue = queue.map(|queue| &queue.row);
        let first = |of_queue: Option<&String>, of_account: Option<&String>| {
            let mut both = of_queue.into_iter().chain(of_account);
            both.find(|text| !text.is_empty()).cloned()
        };
        let text = first(
            queue.map(|queue| &queue.script),
            account.map(|account| &account.script),
        );
        let page = first(
            queue.map(|queue| &queue.page),
            account.map(|account| &account.page),
        );
        if text.is_none() && page.is_none() {
            return None;
        }
        let known = call.best_match();
        let e164 = call.identification.as_ref();
        let e164 = e164.and_then(|known| known.e164.clone());
        let facts = CallFacts {
            number: e164.unwrap_or_else(|| call.remote.clone()),
            name: known
                .map(|known| known.name.clone())
                .or_else(|| call.remote_name.clone())
                .unwrap_or_default(),
            contact: known
                .and_then(|known| known.subject.contact())
                .map(|id| id.0.to_string())
                .unwrap_or_default(),
            call_id: call.id.to_string(),
            queue: call.reception.queue().unwrap_or_default(),
        };
        Some(CallScript {
            text: text.map(|text| page_template::text(&text, &facts)),
            page: page.and_then(|page| page_template::page(&page, &facts)),
        })
    }

    /// A call was answered: its page opens where the settings say so and a person sees it.
    pub(super) fn open_page_by_itself(&mut self, id: CallId) {
        let wanted = self.options.attended && self.options.settings.open_page_on_answer;
        let script = self.calls.get(&id).and_then(|call| self.script_of(call));
        if wanted && script.is_some_and(|script| script.page.is_some()) {
            self.open_page(id);
        }
    }

    /// Opens the page of a call in the browser.
    pub(super) fn open_page(&mut self, id: CallId) {
        let script = self.calls.get(&id).and_then(|call| self.script_of(call));
        let Some(page) = script.and_then(|script| script.page) else {
            let text = "there is no page for this call; its queue or account can have one";
            return self.problem(Some(id), text.to_owned());
        };
        let internal = self.internal.clone();
        let opened = tokio::task::spawn_blocking(move || open(&page));
        tokio::spawn(async move {
            if let Ok(Err(problem)) = opened.await {
                drop(internal.send(Internal::PageNotOpened(id, problem)).await);
            }
        });
    }
}

/// Asks the desktop to open a page, and waits until it has taken it over.
fn open(page: &str) -> Result<(), String> {
    let failed = |why: String| format!("the page {page} could not be opened: {why}");
    let (program, words) = OPENER.split_first().ok_or_else(|| failed(String::new()))?;
    let done = std::process::Command::new(program)
        .args(words)
        .arg(page)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .map_err(|error| failed(format!("{program}: {error}; install it (xdg-utils)")))?;
    if done.success() {
        Ok(())
    } else {
        Err(failed(format!(
            "{program} ended with {done}; choose a browser in the desktop's settings"
        )))
    }
}
