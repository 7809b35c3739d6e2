use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// What was stamped.
const NOTE: &[u8] = b"alerts.example.org/kalamunda/1\n9\n...\n";
/// The nonce that `openssl ts -query` drew.
const NONCE: [u8; 8] = [0xce, 0x7d, 0x0b, 0x24, 0x0c, 0x6d, 0x3f, 0x70];
/// What `openssl ts -query -sha256 -cert` writes of that note and that nonce.
const QUERY: &str = "30440201013031300d06096086480165030402010500042045015ec148c3fa1ae82b496e4a3b37d421f29e927abd0e167663fa37d4094c96020900ce7d0b240c6d3f700101ff";
/// What `openssl ts -reply` answered to it.
const REPLY: &str = "\
    MIIDkzADAgEAMIIDigYJKoZIhvcNAQcCoIIDezCCA3cCAQMxDzANBglghkgBZQMEAgEFADCBlAYLKoZIhvcNAQkQAQSggYQEgYEwfwIBAQYEKgMEATAxMA0G\
    CWCGSAFlAwQCAQUABCBFAV7BSMP6GugrSW5KOzfUIfKeknq9DhZ2Y/o31AlMlgIBAhgPMjAyNjExMzAwNjQ4MzhaMAMCAQECCQDOfQskDG0/cKAdpBswGTEX\
    MBUGA1UEAwwOVGVzdCBBdXRob3JpdHmgggGXMIIBkzCCATqgAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlUZXN0IFJvb3QwHhcNMjYxMTMwMDY0\
    ODM4WhcNMzYxMTI3MDY0ODM4WjAZMRcwFQYDVQQDDA5UZXN0IEF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK3jZrl3tWbIIXPWSKMJZyrD\
    uatkf0S8hWsBzxVqnTnoms4uAywnTmjAEv/eDlFy3Yq+ffcvy7V3VLjynGu5LxWjeDB2MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMBYGA1UdJQEB\
    /wQMMAoGCCsGAQUFBwMIMB0GA1UdDgQWBBQ36ou133tBFRcRfxQGP6figocdpTAfBgNVHSMEGDAWgBTniF3u15SO9+j+4Sof/b+00GZ2djAKBggqhkjOPQQD\
    AgNHADBEAiB/XBMthZO0R1Y+hZgPdGdKcy3Z71YJ3zrKDmGDD2y2BgIgTJCyFD92mhzCa+CenvC0gUjno1L38fjUQszMhMM1EvExggEtMIIBKQIBATAZMBQx\
    EjAQBgNVBAMMCVRlc3QgUm9vdAIBAjANBglghkgBZQMEAgEFAKCBpDAaBgkqhkiG9w0BCQMxDQYLKoZIhvcNAQkQAQQwHAYJKoZIhvcNAQkFMQ8XDTI2MTEz\
    MDA2NDgzOFowLwYJKoZIhvcNAQkEMSIEIMyof+T1K/2UQ7uuIFBB+voMfHAj0HfVH9Qz+QQ2i6jbMDcGCyqGSIb3DQEJEAIvMSgwJjAkMCIEIAPA6oVD7PR1\
    9SYETPExSIj3VUv67aWl3gsYyjh36GtXMAoGCCqGSM49BAMCBEcwRQIgBZhhk7E+Uhx0Rrdb+OcDchk2NHO4QIbN0RW3dXTsTPACIQDSqdboCewd/l0tdBaL\
    el+CFoMdgWZl9K+HMWPG1g1U4A==";

fn reply() -> Vec<u8> {
    STANDARD.decode(REPLY).expect("base64")
}

/// The reply as it would be of another note, which nobody signed.
pub(crate) fn reply_of(note: &[u8]) -> Vec<u8> {
    replaced(Digest::of(&[NOTE]).as_bytes(), Digest::of(&[note]).as_bytes())
}

/// A reply with one part replaced by another of the same length.
fn replaced(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut reply = reply();
    let at = reply.windows(from.len()).position(|part| part == from).expect("it is in it");
    reply.splice(at..at + from.len(), to.iter().copied());
    reply
}

fn query() -> StampQuery {
    StampQuery::of(NOTE, NONCE)
}

#[test]
fn the_question_is_the_one_that_openssl_asks() {
    let hex: Vec<String> = query().to_der().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex.concat(), QUERY);
    // A nonce is a number: no byte that says nothing, and none that makes it negative.
    for (nonce, content) in
        [(0, &[0][..]), (1, &[1]), (0x80, &[0, 0x80]), (0x7fff, &[0x7f, 0xff]), (1 << 63, &[0, 0x80, 0, 0, 0, 0, 0, 0, 0])]
    {
        let asked = StampQuery::of(NOTE, u64::to_be_bytes(nonce)).to_der();
        let end = [&[0x02, u8::try_from(content.len()).expect("short")], content, &[0x01, 0x01, 0xff]].concat();
        assert!(asked.ends_with(&end), "{nonce:x}: {asked:x?}");
        assert_eq!(usize::from(asked[1]) + 2, asked.len());
    }
}

#[test]
fn a_stamp_of_openssl_reads() {
    let stamp = query().answered_by(&reply()).expect("a stamp");
    assert_eq!(stamp, Stamp { imprint: Digest::of(&[NOTE]), at: "2026-11-30T06:48:38Z".parse().expect("a time"), serial: "02".to_owned() });
    assert_eq!(Stamp::read(&reply()), Ok(stamp.clone()));
    assert!(stamp.is_of(NOTE) && !stamp.is_of(b"another"));
}

#[test]
fn an_answer_to_another_question_is_not_taken() {
    assert_eq!(StampQuery::of(b"another", NONCE).answered_by(&reply()), Err(NotAStamp::OtherDigest));
    assert_eq!(StampQuery::of(NOTE, [7; 8]).answered_by(&reply()), Err(NotAStamp::OtherNonce));
    let digest = *Digest::of(&[NOTE]).as_bytes();
    assert_eq!(query().answered_by(&replaced(&digest, &[7; 32])), Err(NotAStamp::OtherDigest));
    assert_eq!(query().answered_by(&replaced(&NONCE, &[0x80; 8])), Err(NotAStamp::OtherNonce));
    // SHA-384 by name, and 32 bytes.
    let info = [&SHA256[..], &[0x05, 0x00, 0x04, 0x20]].concat();
    let mut other = info.clone();
    other[10] = 0x02;
    assert_eq!(query().answered_by(&replaced(&info, &other)), Err(NotAStamp::OtherAlgorithm));
}

/// An element of any length.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    let head = match length {
        [0, low @ ..0x80] => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

/// A SEQUENCE of nothing.
const NOTHING: &[u8] = &[SEQUENCE, 0];

/// The reply made anew of what was signed, the certificates and the signatures that it had.
fn rebuilt(info: impl FnOnce(&[u8]) -> Vec<u8>, rest: impl FnOnce(&[u8], &[u8]) -> Vec<u8>) -> Vec<u8> {
    let reply = reply();
    let (_, token) = parts(&reply).expect("a reply");
    let mut content = Elements::of(token.expect("a token"));
    content.take(OID).expect("what it is");
    let mut data = content.enter(FIRST).expect("a content").enter(SEQUENCE).expect("signed data");
    let (version, digests) = (data.take(INTEGER).expect("a version"), data.take(SET).expect("digests"));
    let mut inner = data.enter(SEQUENCE).expect("a content");
    inner.take(OID).expect("what it is");
    let said = inner.enter(FIRST).expect("a wrapping").take(OCTETS).expect("what was signed");
    let (certificates, signers) = (data.take(FIRST).expect("certificates"), data.take(SET).expect("signers"));
    let inner = [element(OID, &[&TST_INFO]), element(FIRST, &[&element(OCTETS, &[&info(said)])])].concat();
    let data = [element(INTEGER, &[version]), element(SET, &[digests]), element(SEQUENCE, &[&inner]), rest(certificates, signers)].concat();
    let token = [element(OID, &[&SIGNED_DATA]), element(FIRST, &[&element(SEQUENCE, &[&data])])].concat();
    element(SEQUENCE, &[&[SEQUENCE, 3, INTEGER, 1, 0], &element(SEQUENCE, &[&token])])
}

/// As they were.
fn together(certificates: &[u8], signers: &[u8]) -> Vec<u8> {
    [element(FIRST, &[certificates]), element(SET, &[signers])].concat()
}

/// The reply of another note with another number and time, as they are written; nobody signed those.
pub(crate) fn saying(note: &[u8], number: &[u8], time: &str) -> Vec<u8> {
    let said = |number: &[u8], time: &str| [element(INTEGER, &[number]), element(TIME, &[time.as_bytes()])].concat();
    let with = |bytes: &[u8], from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|part| part == from).expect("it is in it");
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    let other = |info: &[u8]| {
        let info = with(info, Digest::of(&[NOTE]).as_bytes(), Digest::of(&[note]).as_bytes());
        let info = with(&info, &said(&[2], "20261130064838Z"), &said(number, time));
        // It is short: its length is one byte.
        element(SEQUENCE, &[&info[2..]])
    };
    rebuilt(other, together)
}

/// What follows what was signed, made of the certificates and the signatures.
type Rest<'a> = &'a dyn Fn(&[u8], &[u8]) -> Vec<u8>;

/// Whether they are the authority's is not looked at here; that there are any is, or what nobody can ever verify would be recorded.
#[test]
fn a_stamp_without_a_certificate_or_without_a_signature_is_none() {
    let of = |rest: Rest<'_>| Stamp::read(&rebuilt(<[u8]>::to_vec, rest)).map(|stamp| stamp.serial);
    assert_eq!(rebuilt(<[u8]>::to_vec, together), reply(), "the same is put together again");
    // Further certificates, lists of what was revoked, and an attribute of the signature that nobody signed.
    assert_eq!(of(&|certificates, signers| together(&[certificates, NOTHING, &[0xa1, 0]].concat(), signers)).as_deref(), Ok("02"));
    let revoked = |certificates: &[u8], signers: &[u8]| {
        [element(FIRST, &[certificates]), element(SECOND, &[NOTHING]), element(SET, &[signers])].concat()
    };
    assert_eq!(of(&revoked).as_deref(), Ok("02"));
    let signer = |parts: &[&[u8]]| element(SEQUENCE, parts);
    let (version, by, algorithm, signature) = (&[INTEGER, 1, 3][..], &[KEY_ID, 1, 7][..], NOTHING, &[OCTETS, 1, 7][..]);
    let named = signer(&[version, by, algorithm, algorithm, signature, &[SECOND, 0]]);
    assert_eq!(of(&|certificates, _| together(certificates, &named)).as_deref(), Ok("02"));

    for certificates in [&[][..], b"anything", &[OCTETS, 1, 7], &[OCTETS, 0, SEQUENCE, 0], &[SEQUENCE, 0, SEQUENCE]] {
        assert_eq!(of(&|_, signers| together(certificates, signers)), Err(NotAStamp::NoCertificate), "{certificates:x?}");
    }
    assert_eq!(of(&|_, signers| element(SET, &[signers])), Err(NotAStamp::NoCertificate));
    let incomplete = [
        vec![],
        NOTHING.to_vec(),
        vec![OCTETS, 1, 7],
        [named.clone(), named.clone()].concat(),
        signer(&[version, by, algorithm, algorithm]),
        signer(&[version, by, algorithm, algorithm, &[OCTETS, 0]]),
        signer(&[version, algorithm, algorithm, signature]),
        signer(&[version, by, algorithm, algorithm, signature, signature]),
    ];
    for signers in incomplete {
        assert_eq!(of(&|certificates, _| together(certificates, &signers)), Err(NotAStamp::NotSigned), "{signers:x?}");
    }
    // None at all, in another place, or something after them.
    let token = Err(NotAStamp::Unreadable("token"));
    assert_eq!(of(&|certificates, _| element(FIRST, &[certificates])), token);
    assert_eq!(of(&|certificates, signers| [element(SET, &[signers]), element(FIRST, &[certificates])].concat()), token);
    assert_eq!(of(&|certificates, signers| [together(certificates, signers), element(SET, &[signers])].concat()), token);
}

#[test]
fn an_authority_that_refuses_is_understood() {
    // What `openssl ts -reply` answers to a hash that it does not take.
    let words = b"Message digest algorithm is not supported.";
    let refused = [&[0x30, 0x37, 0x30, 0x35, 0x02, 0x01, 0x02, 0x30, 0x2c, 0x0c, 0x2a][..], words, &[0x03, 0x02, 0x07, 0x80]].concat();
    assert_eq!(query().answered_by(&refused), Err(NotAStamp::Refused(2)));
    assert_eq!(query().answered_by(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02]), Err(NotAStamp::Refused(2)));
    // Granted, and nothing with it; refused, and a stamp with it; a status of no meaning.
    assert_eq!(query().answered_by(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00]), Err(NotAStamp::Unreadable("status")));
    assert_eq!(
        query().answered_by(&replaced(&[0x30, 0x03, 0x02, 0x01, 0x00], &[0x30, 0x03, 0x02, 0x01, 0x02])),
        Err(NotAStamp::Unreadable("status"))
    );
    assert_eq!(query().answered_by(&[0x30, 0x06, 0x30, 0x04, 0x02, 0x02, 0x01, 0x00]), Err(NotAStamp::Unreadable("status")));
    let with_changes = replaced(&[0x30, 0x03, 0x02, 0x01, 0x00], &[0x30, 0x03, 0x02, 0x01, 0x01]);
    assert!(query().answered_by(&with_changes).is_ok());
}

#[test]
fn a_time_is_by_utc_and_of_one_spelling() {
    let read = |text: &str| time(text.as_bytes()).map(|at| at.to_string());
    assert_eq!(read("20260413060405Z").as_deref(), Some("2026-04-13T06:04:05Z"));
    assert_eq!(read("20260413060405.25Z").as_deref(), Some("2026-04-13T06:04:05.25Z"));
    assert_eq!(read("20260413060405.123456789Z").as_deref(), Some("2026-04-13T06:04:05.123456789Z"));
    for wrong in [
        "",
        "Z",
        "20260413060405",
        "202604130604Z",
        "20260413060405.Z",
        "20260413060405.0Z",
        "20260413060405.10Z",
        "20260413060405.1234567891Z",
        "20260413060405,5Z",
        "20260413060405+0800",
        "20260413060460Z",
        "20261313060405Z",
        "20260230060405Z",
        "20260413240405Z",
        "2026041306040\u{e9}Z",
        "+2026041306040Z",
        "20260413060405.2.5Z",
        "2026-4-306040Z",
    ] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

#[test]
fn what_is_cut_off_or_too_long_is_no_stamp() {
    let reply = reply();
    for end in 0..reply.len() {
        assert!(Stamp::read(&reply[..end]).is_err(), "{end} bytes");
    }
    assert_eq!(Stamp::read(&[reply.as_slice(), &[0]].concat()), Err(NotAStamp::Unreadable("reply")));
    assert_eq!(Stamp::read(&vec![0x30; REPLY_MAX + 1]), Err(NotAStamp::TooLong));
    // As deep as it can be.
    assert!(Stamp::read(&vec![0x30; REPLY_MAX]).is_err());
    assert!(Stamp::read(&[0x30, 0x80].repeat(REPLY_MAX / 2)).is_err());
}

/// Whatever else is altered, no stamp of something else comes of it: what is not compared here is what `openssl ts -verify` compares.
#[test]
fn no_altered_bit_makes_a_stamp_of_something_else() {
    let reply = reply();
    for at in 0..reply.len() * 8 {
        let mut other = reply.clone();
        other[at / 8] ^= 1 << (at % 8);
        if let Ok(stamp) = query().answered_by(&other) {
            assert!(stamp.is_of(NOTE), "bit {at}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _read = Stamp::read(&bytes);
        let _answered = query().answered_by(&bytes);
    }

    /// Nearly a reply, which reaches what nobody's bytes would.
    #[test]
    fn no_nearly_good_bytes_make_it_panic(changes in prop::collection::vec((0..919_usize, any::<u8>()), 1..6), cut in 0..40_usize, at in 0..919_usize) {
        let mut bytes = reply();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let end = bytes.len().min(at + cut);
        bytes.drain(at..end);
        let _read = Stamp::read(&bytes);
        prop_assert!(query().answered_by(&bytes).ok().is_none_or(|stamp| stamp.is_of(NOTE)));
    }
}
