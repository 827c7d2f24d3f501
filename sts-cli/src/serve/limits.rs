//! How much a client may ask of this server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};

use super::problem::Problem;

/// Connections at once; more wait.
pub(super) const CONNECTIONS: usize = 256;
/// A request's head must be there within this time, and the next one on the same connection.
pub(super) const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
pub(super) const HEAD_BYTES: usize = 16 << 10;
/// A connection is closed after this time, whatever it does.
pub(super) const CONNECTION: Duration = Duration::from_secs(600);
/// Something of a body must come within this time.
const PIECE: Duration = Duration::from_secs(10);
/// The whole of a question must come within this time.
const QUESTION: Duration = Duration::from_secs(20);
/// Bytes of a question.
pub(super) const QUESTION_BYTES: u64 = 64 << 10;
/// Bytes of a file to replay.
pub(super) const FILE_BYTES: u64 = 64 << 20;
/// Characters of the text in it.
pub(super) const TEXT: usize = 60_000;
/// Tokens in a question.
pub(super) const TOKENS: usize = 20;
/// Requests of an address: so many at once, and so many a second.
const BURST: f64 = 1000.0;
const RATE: f64 = 500.0;
/// The same for requests that bring no credentials, or wrong ones.
const BURST_OUTSIDE: f64 = 40.0;
const RATE_OUTSIDE: f64 = 5.0;
/// Addresses that are remembered.
const ADDRESSES: usize = 4096;

/// Requests that an address has left.
struct Allowance {
    inside: f64,
    outside: f64,
    since: Instant,
}

/// Counts the requests of each address.
#[derive(Default)]
pub(super) struct Rate(Mutex<HashMap<IpAddr, Allowance>>);

impl Rate {
    /// Whether one more request may be answered.
    pub(super) fn allows(&self, address: IpAddr, is_inside: bool) -> bool {
        let Ok(mut all) = self.0.lock() else { return false };
        let now = Instant::now();
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            // Those that are whole again need not be remembered.
            all.retain(|_, one| now - one.since < Duration::from_secs(10));
            if all.len() >= ADDRESSES {
                return false;
            }
        }
        let full = Allowance { inside: BURST, outside: BURST_OUTSIDE, since: now };
        let one = all.entry(address).or_insert(full);
        let seconds = (now - one.since).as_secs_f64();
        one.inside = (one.inside + seconds * RATE).min(BURST);
        one.outside = (one.outside + seconds * RATE_OUTSIDE).min(BURST_OUTSIDE);
        one.since = now;
        let left = if is_inside { &mut one.inside } else { &mut one.outside };
        let allowed = *left >= 1.0;
        if allowed {
            *left -= 1.0;
        }
        allowed
    }
}

/// The body of a question, whole.
pub(super) async fn question(body: Incoming) -> Result<Vec<u8>, Problem> {
    let mut whole = Vec::new();
    let pieces = pieces(body, QUESTION_BYTES, |piece| {
        whole.extend_from_slice(piece);
        Ok(())
    });
    tokio::time::timeout(QUESTION, pieces).await.map_err(|_| Problem::slow())??;
    Ok(whole)
}

/// Hands on the body of a request piece by piece, and ends where it is too long or too slow.
pub(super) async fn pieces(
    mut body: Incoming,
    most: u64,
    mut take: impl FnMut(&Bytes) -> Result<(), Problem>,
) -> Result<(), Problem> {
    if body.size_hint().lower() > most {
        return Err(Problem::too_long(most));
    }
    let mut length = 0;
    loop {
        let piece = tokio::time::timeout(PIECE, body.frame()).await.map_err(|_| Problem::slow())?;
        let Some(piece) = piece else { return Ok(()) };
        let piece =
            piece.map_err(|_| Problem::bad("body", "it ended early, expected all of it"))?;
        let Ok(piece) = piece.into_data() else { continue };
        length += piece.len() as u64;
        if length > most {
            return Err(Problem::too_long(most));
        }
        take(&piece)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_is_stopped_and_others_are_not() {
        let (rate, one) = (Rate::default(), IpAddr::from([127, 0, 0, 1]));
        let guesses = (0..100).filter(|_| rate.allows(one, false)).count();
        assert!((40..50).contains(&guesses), "{guesses}");
        assert!(rate.allows(one, true) && rate.allows(IpAddr::from([127, 0, 0, 2]), false));
    }

    #[test]
    fn addresses_that_are_remembered_are_bounded() {
        let rate = Rate::default();
        for address in 0..10_000_u32 {
            rate.allows(IpAddr::from(address.to_be_bytes()), false);
        }
        assert!(rate.0.lock().expect("no panic").len() <= ADDRESSES);
    }
}
