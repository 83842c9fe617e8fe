//! The signature of a notice, as the Standard Webhooks specification writes it, so that existing libraries verify it.

use data_encoding::BASE64;
use ring::hmac;

/// `v1,` and the base64 of an HMAC-SHA-256 over id, time and body, joined by periods.
#[must_use]
pub fn sign(secret: &[u8], id: &str, seconds: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{seconds}.").as_bytes());
    context.update(body);
    format!("v1,{}", BASE64.encode(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hmac_that_others_compute() {
        // openssl: printf 'msg_1.1790000000.{"a":1}' | openssl dgst -sha256 -hmac secret -binary | base64
        assert_eq!(
            sign(b"secret", "msg_1", 1_790_000_000, b"{\"a\":1}"),
            "v1,b6f/QTqXJN0uuTcdVuJSAVTsaQphkQBPt8331bseMNA="
        );
    }
}
