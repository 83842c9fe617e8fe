//! The tests of `facteur-smtp` from outside: dialogue files, and what holds for any input.

#[cfg(test)]
mod dialogues;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod properties;
