//! Reads Rust source as far as the floors need it: its code without comments, its paths.

/// A file of `src/`.
pub(crate) struct Source {
    /// Its path in `src/`, with slashes.
    pub(crate) name: String,
    pub(crate) lines: usize,
    /// Without comments, strings and tests.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let code = without_tests(&without_comments_and_strings(text));
        Self {
            name: name.into(),
            lines: text.lines().count(),
            code,
        }
    }

    /// Where it stands in the crate: `ops/tanh.rs` is `["ops", "tanh"]`, `ops/mod.rs` is `["ops"]`.
    pub(crate) fn place(&self) -> Vec<&str> {
        let path = self.name.trim_end_matches(".rs");
        path.split('/').filter(|part| *part != "mod").collect()
    }

    /// The modules and items of this crate that it names, from the crate's root.
    pub(crate) fn uses(&self) -> Vec<Vec<String>> {
        let mut found = paths(&self.code, "crate::");
        for relative in paths(&self.code, "super::") {
            let climbs = 1 + relative.iter().take_while(|part| *part == "super").count();
            let place = self.place();
            // What climbs higher stands in a module inside the file and stays in it.
            if let Some(height) = place.len().checked_sub(climbs) {
                let base = place[..height].iter().map(ToString::to_string);
                let rest = relative[climbs - 1..].iter().cloned();
                found.push(base.chain(rest).collect());
            }
        }
        found
    }
}

/// Replaces comments and the contents of string literals by blanks.
pub(crate) fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if next == '"' {
            end_of_string(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// Length of the string literal that `text` starts with. Raw strings with quotes are not written
/// in `src/`.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Drops every item under `#[cfg(test)]`: a test may use any floor.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..start]);
        rest = &rest[start..];
        let mut depth = 0_usize;
        let end = rest.char_indices().find(|&(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && (c == '}' || c == ';')
        });
        rest = end.map_or("", |(at, _)| &rest[at + 1..]);
    }
    kept.push_str(rest);
    kept
}

/// The paths that follow `prefix` (`crate::` or `super::`), groups in braces taken apart:
/// `crate::{error::Error, ops::tanh}` gives `error::Error` and `ops::tanh`.
fn paths(code: &str, prefix: &str) -> Vec<Vec<String>> {
    let inside_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.match_indices(prefix)
        .filter(|&(at, _)| !code[..at].ends_with(inside_a_word))
        .flat_map(|(at, _)| expand(&code[at + prefix.len()..]))
        .map(|path| path.split("::").map(str::to_owned).collect())
        .collect()
}

/// The paths that a use tree stands for, read from the start of `text`.
fn expand(text: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let head = &text[..text.find(|c| !is_path(c)).unwrap_or(text.len())];
    let Some(group) = text[head.len()..].strip_prefix('{') else {
        return vec![head.to_owned()];
    };
    branches(group)
        .iter()
        .flat_map(|branch| expand(branch.trim()))
        .map(|tail| format!("{head}{tail}"))
        .collect()
}

/// Cuts what stands before the closing brace at its outer commas.
fn branches(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|branch| !branch.trim().is_empty());
    found
}
