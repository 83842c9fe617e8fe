//! Just enough of Rust's grammar to tell code, comments, string literals and test modules apart.

use std::ops::Range;

/// A string literal, as written between its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Escapes are not resolved.
    pub(crate) text: String,
}

/// A Rust file taken apart.
pub(crate) struct Source {
    /// The code alone: comments and the insides of literals are blanks, lines stand where they stood.
    pub(crate) code: String,
    literals: Vec<Literal>,
    test_lines: Vec<Range<usize>>,
}

impl Source {
    /// Takes a file apart. Anything is accepted; what does not compile is the compiler's to say.
    pub(crate) fn parse(text: &str) -> Self {
        let (code, literals) = Lexer::new(text).run();
        let test_lines = test_modules(&code);
        Self {
            code,
            literals,
            test_lines,
        }
    }

    /// The literals outside `#[cfg(test)]` items.
    pub(crate) fn shipped_literals(&self) -> impl Iterator<Item = &Literal> {
        self.literals
            .iter()
            .filter(|literal| self.ships(literal.line))
    }

    /// The lines of code, numbered from 1, outside `#[cfg(test)]` items.
    pub(crate) fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..)
            .zip(self.code.lines())
            .filter(|(line, _)| self.ships(*line))
    }

    fn ships(&self, line: usize) -> bool {
        !self.test_lines.iter().any(|lines| lines.contains(&line))
    }
}

/// Whether a whole file is for tests, or for the project's own tools: no user ever runs it.
pub(crate) fn is_test_path(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/benches/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/battery.rs")
        || path.starts_with("crates/facteur-testkit/")
        || path.starts_with("crates/facteur-simulation/")
        || path.starts_with("fuzz/")
        || path.starts_with("xtask/")
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    code: String,
    literals: Vec<Literal>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
            code: String::with_capacity(text.len()),
            literals: Vec::new(),
        }
    }

    fn run(mut self) -> (String, Vec<Literal>) {
        while let Some(next) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.blank(end);
            } else if self.rest.starts_with("/*") {
                let end = block_comment(self.rest);
                self.blank(end);
            } else if let Some(hashes) = raw_string(self.rest, self.code.chars().next_back()) {
                self.raw_literal(hashes);
            } else if next == '"' {
                self.literal();
            } else if next == '\'' {
                let end = character(self.rest);
                self.blank(end);
            } else {
                self.keep(next);
            }
        }
        (self.code, self.literals)
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn keep(&mut self, next: char) {
        self.take(next.len_utf8());
        self.line += usize::from(next == '\n');
        self.code.push(next);
    }

    fn blank(&mut self, length: usize) {
        for next in self.take(length).chars() {
            self.line += usize::from(next == '\n');
            self.code.push(if next == '\n' { '\n' } else { ' ' });
        }
    }

    fn literal(&mut self) {
        self.keep('"');
        let mut escaped = false;
        let end = self.rest.find(|next: char| {
            let closes = next == '"' && !escaped;
            escaped = next == '\\' && !escaped;
            closes
        });
        self.text(end.unwrap_or(self.rest.len()), "\"");
    }

    /// `r"`, `r#"`, …: the `r` went before, as code.
    fn raw_literal(&mut self, hashes: usize) {
        let close = format!("\"{}", "#".repeat(hashes));
        self.blank(1 + hashes);
        self.keep('"');
        let end = self.rest.find(&close).unwrap_or(self.rest.len());
        self.text(end, &close);
    }

    fn text(&mut self, length: usize, close: &str) {
        let text = self.rest.get(..length).unwrap_or_default().to_owned();
        self.literals.push(Literal {
            line: self.line,
            text,
        });
        self.blank(length);
        if self.rest.starts_with(close) {
            self.keep('"');
            self.blank(close.len() - 1);
        }
    }
}

/// How long the (nested) comment at the start is.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The number of `#` if a raw string starts here: `r"`, `br#"`. `before` rules out names that end in r.
fn raw_string(text: &str, before: Option<char>) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    if before.is_some_and(|c| c == '_' || c.is_alphanumeric() && c != 'b' && c != 'c') {
        return None;
    }
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    rest.get(hashes..)?.starts_with('"').then_some(hashes)
}

/// How long the character literal at the start is; 1 if the quote opens a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, _))) => {
            let after = text.get(escaped + 1..).unwrap_or_default();
            after.find('\'').map_or(1, |end| escaped + 1 + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

/// The lines of every item that `#[cfg(test)]` marks.
fn test_modules(code: &str) -> Vec<Range<usize>> {
    let line_at = |at: usize| {
        1 + code
            .get(..at)
            .map_or(0, |before| before.matches('\n').count())
    };
    code.match_indices("#[cfg(test)]")
        .map(|(start, _)| {
            let item = code.get(start..).unwrap_or_default();
            line_at(start)..line_at(start + item_length(item)) + 1
        })
        .collect()
}

/// Up to the `;` or the closing brace that ends the item.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, next) in item.char_indices() {
        match next {
            ';' if depth == 0 => return at,
            '{' => depth += 1,
            '}' if depth <= 1 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(text: &str) -> Vec<(usize, String)> {
        let source = Source::parse(text);
        source
            .shipped_literals()
            .map(|l| (l.line, l.text.clone()))
            .collect()
    }

    #[test]
    fn literals_are_found_and_comments_are_not() {
        let text = "// \"a\"\n/* \"b\" /* \"c\" */ */\nlet x = \"d\\\"e\"; // 'f\nlet y = b\"g\";";
        assert_eq!(
            literals(text),
            [(3, "d\\\"e".to_owned()), (4, "g".to_owned())]
        );
    }

    #[test]
    fn raw_strings_end_where_their_hashes_say() {
        let text = "let x = r#\"a \"b\" c\"#; let y = br\"\\\"; let z = \"d\";";
        let found: Vec<_> = literals(text).into_iter().map(|(_, text)| text).collect();
        assert_eq!(found, ["a \"b\" c", "\\", "d"]);
    }

    #[test]
    fn quotes_of_characters_and_lifetimes_open_no_string() {
        let text =
            "fn f<'a>(x: &'a str) { if c == '\"' || c == '\\'' || c == '\\u{22}' { g(\"h\") } }";
        assert_eq!(literals(text), [(1, "h".to_owned())]);
    }

    #[test]
    fn a_test_module_does_not_ship_and_what_follows_does() {
        let text = "#[cfg(test)]\nmod tests {\n  fn a() { b(\"c\") }\n}\nconst D: &str = \"e\";";
        assert_eq!(literals(text), [(5, "e".to_owned())]);
        let text = "#[cfg(test)]\nmod tests;\nconst D: &str = \"e\";";
        assert_eq!(literals(text), [(3, "e".to_owned())]);
    }

    #[test]
    fn the_code_keeps_its_lines() {
        let source = Source::parse("let a = \"x\ny\"; // z\nb();");
        assert_eq!(source.code.lines().count(), 3);
        assert_eq!(source.shipped_lines().nth(2), Some((3, "b();")));
    }
}
