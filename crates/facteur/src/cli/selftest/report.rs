//! What was checked, a line each, and the sum.

use facteur_replies::Value;
use serde_json::json;

use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};

/// What a check found: nothing, or what is there in place of what was promised.
pub(super) type Found = Result<(), String>;

/// Says each check as it is done, and counts.
pub(super) struct Report<'a> {
    screen: &'a mut Screen,
    checks: u64,
    failed: u64,
}

impl<'a> Report<'a> {
    pub(super) const fn new(screen: &'a mut Screen) -> Self {
        Self {
            screen,
            checks: 0,
            failed: 0,
        }
    }

    /// For errors that are no findings.
    pub(super) const fn screen(&self) -> &Screen {
        self.screen
    }

    /// Notes one check: `key` is its stable name, `id` its text.
    pub(super) fn note(
        &mut self,
        key: &str,
        id: &str,
        args: &[(&str, Value<'_>)],
        found: Found,
    ) -> Result<(), CliError> {
        let words = self.screen.text(id, args);
        self.checks += 1;
        self.failed += u64::from(found.is_err());
        if self.screen.json {
            let got = found.as_ref().err();
            let line = json!({
                "check": key,
                "passed": found.is_ok(),
                "words": words,
                "got": got,
            });
            return Ok(self.screen.json(&line)?);
        }
        let args = [("words", (&words).into())];
        match found {
            Ok(()) => {
                let line = self.screen.text("selftest-passed", &args);
                self.screen.line(Tone::Plain, &line)?;
            }
            Err(got) => {
                let line = self.screen.text("selftest-failed", &args);
                self.screen.line(Tone::Bad, &line)?;
                let got = shown(&got);
                let line = self.screen.text("selftest-got", &[("got", (&got).into())]);
                self.screen.paragraph(Tone::Plain, 4, &line)?;
            }
        }
        Ok(())
    }

    /// The sum, and the exit code.
    pub(super) fn end(self) -> Result<(), CliError> {
        let Self {
            screen,
            checks,
            failed,
        } = self;
        if !screen.json {
            let checks = ("checks", checks.into());
            if failed == 0 {
                let words = screen.text("selftest-all-passed", &[checks]);
                screen.line(Tone::Good, &words)?;
            } else {
                let args = [checks, ("failed", failed.into())];
                let words = screen.text("selftest-some-failed", &args);
                screen.line(Tone::Bad, &words)?;
            }
        }
        if failed == 0 {
            Ok(())
        } else {
            Err(CliError::said(Kind::Negative))
        }
    }
}
