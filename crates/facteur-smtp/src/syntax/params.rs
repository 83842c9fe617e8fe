//! The parameters of MAIL and RCPT: `KEYWORD` or `KEYWORD=value`, in any order, each once. (RFC 5321 §4.1.1.11)

use facteur_mail::{BodyType, EnvId, Notify, Orcpt, Ret};
use facteur_replies::Reply;

use super::xtext;
use crate::limits::{MAX_ADDRESS_TYPE, MAX_ENVID, MAX_ORCPT};

/// The parameters of MAIL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MailParameters {
    pub(super) size: Option<u64>,
    pub(super) body: BodyType,
    pub(super) smtputf8: bool,
    pub(super) ret: Option<Ret>,
    pub(super) envid: Option<EnvId>,
}

/// The parameters of RCPT.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RcptParameters {
    pub(super) notify: Notify,
    pub(super) orcpt: Option<Orcpt>,
    /// Whether ORCPT held UTF-8 as it is, which only SMTPUTF8 allows. (RFC 6533 §3)
    pub(super) ascii: bool,
}

/// Reads the parameters of MAIL.
///
/// # Errors
/// 501 for a malformed one or one said twice, 504 for an unknown value of BODY, 555 for one we do not have.
pub(super) fn mail(text: &str) -> Result<MailParameters, Reply> {
    let mut all = MailParameters::default();
    let mut seen = Seen::default();
    for (keyword, value) in parameters(text) {
        match seen.once(keyword)?.as_str() {
            "SIZE" => {
                let octets = value.and_then(size);
                all.size = Some(octets.ok_or_else(|| expected("SIZE=octets"))?);
            }
            "BODY" => all.body = body(value.ok_or_else(|| expected("BODY=8BITMIME"))?)?,
            "SMTPUTF8" if value.is_none() => all.smtputf8 = true,
            "SMTPUTF8" => return Err(expected("SMTPUTF8 without a value")),
            "RET" => {
                all.ret = Some(
                    value
                        .and_then(ret)
                        .ok_or_else(|| expected("RET=FULL or RET=HDRS"))?,
                );
            }
            "ENVID" => {
                all.envid = Some(
                    value
                        .and_then(envid)
                        .ok_or_else(|| expected("ENVID=xtext"))?,
                );
            }
            _ => return Err(Reply::parameter_unknown(keyword)),
        }
    }
    Ok(all)
}

/// Reads the parameters of RCPT.
///
/// # Errors
/// 501 for a malformed one or one said twice, 555 for one we do not have.
pub(super) fn rcpt(text: &str) -> Result<RcptParameters, Reply> {
    let mut all = RcptParameters {
        notify: Notify::Default,
        orcpt: None,
        ascii: true,
    };
    let mut seen = Seen::default();
    for (keyword, value) in parameters(text) {
        match seen.once(keyword)?.as_str() {
            "NOTIFY" => {
                all.notify = value.and_then(notify).ok_or_else(|| {
                    expected("NOTIFY=NEVER or NOTIFY= one or more of SUCCESS,FAILURE,DELAY")
                })?;
            }
            "ORCPT" => {
                let orcpt = value.and_then(orcpt);
                all.orcpt = Some(orcpt.ok_or_else(|| expected("ORCPT=rfc822;xtext"))?);
                all.ascii = value.is_none_or(str::is_ascii);
            }
            _ => return Err(Reply::parameter_unknown(keyword)),
        }
    }
    Ok(all)
}

fn parameters(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(' ')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| match parameter.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (parameter, None),
        })
}

fn expected(what: &str) -> Reply {
    Reply::bad_arguments(what)
}

/// The keywords of one command, in upper case.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn once(&mut self, keyword: &str) -> Result<String, Reply> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if keyword.is_empty() || keyword.starts_with('-') || !keyword.bytes().all(legal) {
            return Err(expected("parameters as KEYWORD or KEYWORD=value"));
        }
        let keyword = keyword.to_ascii_uppercase();
        if self.0.contains(&keyword) {
            return Err(expected("each parameter once"));
        }
        self.0.push(keyword.clone());
        Ok(keyword)
    }
}

/// 1 to 20 digits. (RFC 1870 §5)
fn size(value: &str) -> Option<u64> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    // Twenty digits may be more than 64 bits hold: larger than any limit all the same.
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

fn body(value: &str) -> Result<BodyType, Reply> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(BodyType::SevenBit),
        "8BITMIME" => Ok(BodyType::EightBitMime),
        "BINARYMIME" => Ok(BodyType::BinaryMime),
        _ => Err(Reply::parameter_value_not_implemented("BODY")),
    }
}

fn ret(value: &str) -> Option<Ret> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Some(Ret::Full),
        "HDRS" => Some(Ret::Headers),
        _ => None,
    }
}

fn envid(value: &str) -> Option<EnvId> {
    if value.is_empty() || value.len() > MAX_ENVID {
        return None;
    }
    xtext::decode(value).map(|id| EnvId(id.into()))
}

fn notify(value: &str) -> Option<Notify> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut success,
            "FAILURE" => &mut failure,
            "DELAY" => &mut delay,
            _ => return None,
        };
        if std::mem::replace(flag, true) {
            return None;
        }
    }
    Some(Notify::On {
        success,
        failure,
        delay,
    })
}

fn orcpt(value: &str) -> Option<Orcpt> {
    if value.len() > MAX_ORCPT {
        return None;
    }
    let (kind, address) = value.split_once(';')?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if kind.is_empty() || kind.len() > MAX_ADDRESS_TYPE || !kind.bytes().all(legal) {
        return None;
    }
    let address = if kind.eq_ignore_ascii_case("utf-8") {
        xtext::decode_utf8(address, true)?
    } else {
        xtext::decode(address)?
    };
    (!address.is_empty()).then(|| Orcpt {
        kind: kind.to_ascii_lowercase().into(),
        address: address.into(),
    })
}

#[cfg(test)]
mod tests {
    use facteur_replies::ReplyId;

    use super::*;

    #[test]
    fn every_parameter_of_mail_is_read() {
        let all = mail(" SIZE=1000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B314159 ").unwrap();
        assert_eq!(
            all,
            MailParameters {
                size: Some(1000),
                body: BodyType::EightBitMime,
                smtputf8: true,
                ret: Some(Ret::Headers),
                envid: Some(EnvId("QQ+314159".into())),
            }
        );
    }

    #[test]
    fn every_parameter_of_rcpt_is_read() {
        let all = rcpt(" NOTIFY=success,DELAY ORCPT=RFC822;a+2Bb@c.test").unwrap();
        assert_eq!(
            all.notify,
            Notify::On {
                success: true,
                failure: false,
                delay: true
            }
        );
        let orcpt = all.orcpt.unwrap();
        assert_eq!((&*orcpt.kind, &*orcpt.address), ("rfc822", "a+b@c.test"));
        assert_eq!(rcpt("NOTIFY=NEVER").unwrap().notify, Notify::Never);
        assert!(!rcpt("ORCPT=utf-8;é@c.test").unwrap().ascii);
    }

    #[test]
    fn a_wrong_parameter_of_mail_gets_the_reply_of_its_rfc() {
        for (text, id) in [
            ("SIZE", ReplyId::BadArguments),
            ("SIZE=", ReplyId::BadArguments),
            ("SIZE=-1", ReplyId::BadArguments),
            ("SIZE=123456789012345678901", ReplyId::BadArguments),
            ("SIZE=1 SIZE=1", ReplyId::BadArguments),
            ("BODY", ReplyId::BadArguments),
            ("BODY=9BIT", ReplyId::ParameterValueNotImplemented),
            ("SMTPUTF8=yes", ReplyId::BadArguments),
            ("RET=ALL", ReplyId::BadArguments),
            ("ENVID=", ReplyId::BadArguments),
            ("ENVID=a+0D+0Ab", ReplyId::BadArguments),
            ("=x", ReplyId::BadArguments),
            ("AUTH=<>", ReplyId::ParameterUnknown),
            ("XYZZY", ReplyId::ParameterUnknown),
            ("NOTIFY=NEVER", ReplyId::ParameterUnknown),
        ] {
            assert_eq!(mail(text).unwrap_err().id(), id, "{text}");
        }
        let long = format!("ENVID={}", "x".repeat(MAX_ENVID + 1));
        assert_eq!(mail(&long).unwrap_err().id(), ReplyId::BadArguments);
        assert_eq!(
            mail("SIZE=99999999999999999999").unwrap().size,
            Some(u64::MAX)
        );
    }

    #[test]
    fn a_wrong_parameter_of_rcpt_gets_the_reply_of_its_rfc() {
        for (text, id) in [
            ("NOTIFY=", ReplyId::BadArguments),
            ("NOTIFY=NEVER,DELAY", ReplyId::BadArguments),
            ("NOTIFY=DELAY,DELAY", ReplyId::BadArguments),
            ("ORCPT=a@b.test", ReplyId::BadArguments),
            ("ORCPT=;a@b.test", ReplyId::BadArguments),
            ("ORCPT=rfc822;", ReplyId::BadArguments),
            ("ORCPT=rfc822;a+0Ab", ReplyId::BadArguments),
            ("ORCPT=utf-8;\\x{0A}", ReplyId::BadArguments),
            ("SIZE=1", ReplyId::ParameterUnknown),
        ] {
            assert_eq!(rcpt(text).unwrap_err().id(), id, "{text}");
        }
    }
}
