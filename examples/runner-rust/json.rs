//! A reader of JSON that is as small as lossproof's messages allow.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug)]
pub enum Json {
    Text(String),
    /// A number, true, false or null, as it is written.
    Word(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn parse(line: &str) -> Json {
        value(&mut line.chars().peekable())
    }

    /// The member of a key, if there is one.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, json)| json),
            _ => None,
        }
    }

    pub fn items(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            other => panic!("{other:?} is no list"),
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) | Json::Word(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }
}

impl std::ops::Index<&str> for Json {
    type Output = Json;

    fn index(&self, key: &str) -> &Json {
        self.get(key)
            .unwrap_or_else(|| panic!("the message lacks {key}"))
    }
}

type Characters<'a> = Peekable<Chars<'a>>;

fn value(rest: &mut Characters) -> Json {
    skip_spaces(rest);
    match rest.peek().expect("the message has no end") {
        '"' => Json::Text(text(rest)),
        '[' => Json::List(members(rest, ']', value)),
        '{' => Json::Object(members(rest, '}', |rest| {
            let key = text(rest);
            skip_spaces(rest);
            assert_eq!(rest.next(), Some(':'), "after {key}");
            (key, value(rest))
        })),
        _ => {
            let mut word = String::new();
            while let Some(character) = rest.next_if(|character| !",]} \n".contains(*character)) {
                word.push(character);
            }
            Json::Word(word)
        }
    }
}

/// What stands between brackets, parted by commas.
fn members<T>(rest: &mut Characters, end: char, read: impl Fn(&mut Characters) -> T) -> Vec<T> {
    let mut found = Vec::new();
    rest.next();
    loop {
        skip_spaces(rest);
        match rest.peek() {
            Some(character) if *character == end => {
                rest.next();
                return found;
            }
            Some(',') => {
                rest.next();
                skip_spaces(rest);
            }
            _ => {}
        }
        found.push(read(rest));
    }
}

/// No name that this runner knows has an escape: that of others is misread.
fn text(rest: &mut Characters) -> String {
    assert_eq!(rest.next(), Some('"'), "where a text is due");
    let mut text = String::new();
    loop {
        match rest.next().expect("a text has no end") {
            '"' => return text,
            '\\' => text.push(rest.next().expect("a text has no end")),
            character => text.push(character),
        }
    }
}

fn skip_spaces(rest: &mut Characters) {
    while rest
        .next_if(|character| character.is_whitespace())
        .is_some()
    {}
}
