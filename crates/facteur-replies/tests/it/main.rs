//! The catalogue as its readers meet it: every reply explained, in every language, whatever the codes.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod comparing;
#[cfg(test)]
mod explaining;
#[cfg(test)]
mod wording;
