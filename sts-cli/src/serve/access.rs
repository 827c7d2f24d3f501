//! Who is let in: a token in the printed address, exchanged once for a cookie; a bearer token for
//! programs; and the names under which this server answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use hyper::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use hyper::{HeaderMap, Method};

use crate::exit::Failure;

/// The secrets of this run. None of them outlives it.
pub(super) struct Access {
    port: u16,
    /// In the printed address; gone once it was used.
    once: Mutex<Option<String>>,
    session: String,
    /// For programs, where one was asked for.
    bearer: Option<String>,
}

impl Access {
    pub(super) fn new(at: SocketAddr, with_bearer: bool) -> Result<Self, Failure> {
        Ok(Self {
            port: at.port(),
            once: Mutex::new(Some(secret()?)),
            session: secret()?,
            bearer: with_bearer.then(secret).transpose()?,
        })
    }

    /// What the printed address ends in, until it is used.
    pub(super) fn once(&self) -> Option<String> {
        self.once.lock().ok()?.clone()
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// The cookie for whoever brings the token of the printed address; the token is spent.
    pub(super) fn exchange(&self, token: &str) -> Option<String> {
        let mut once = self.once.lock().ok()?;
        once.take_if(|own| same(own, token))?;
        Some(format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie_name(), self.session))
    }

    /// Browsers send a host's cookies to all of its ports, so the name has the port.
    fn cookie_name(&self) -> String {
        format!("sts-{}", self.port)
    }

    /// Whether a request brings the cookie or the bearer token.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.has_cookie(headers) || self.has_bearer(headers)
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(own, value)| own == name && same(value, &self.session))
    }

    fn has_bearer(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        token.zip(self.bearer.as_ref()).is_some_and(|((_, token), own)| same(token.trim(), own))
    }

    /// Whether a request is meant for this server: by `localhost` or an address, at our port. A name
    /// that someone else's DNS points here is not among them.
    pub(super) fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        hosts.next().is_none() && host.is_some_and(|host| self.is_own_authority(host))
    }

    fn is_own_authority(&self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            // A colon inside of brackets belongs to the address.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, Some(80)),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_address = bare
            .unwrap_or(host)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_ipv6() == bare.is_some());
        port == Some(self.port) && (host.eq_ignore_ascii_case("localhost") || is_address)
    }

    /// Whether a request that changes or computes something comes from our own page. Browsers say
    /// where a `POST` comes from; programs, which bring no cookie, need not.
    pub(super) fn is_own_origin(&self, method: &Method, headers: &HeaderMap) -> bool {
        let from_elsewhere = headers
            .get("sec-fetch-site")
            .is_some_and(|site| site != "same-origin" && site != "none");
        let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        if method == Method::GET || method == Method::HEAD {
            return !from_elsewhere;
        }
        let is_own = |origin: &str| {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            origin.strip_prefix("http://").zip(host).is_some_and(|(own, host)| own == host)
        };
        !from_elsewhere && origin.map_or(self.has_bearer(headers), is_own)
    }
}

/// 256 random bits.
fn secret() -> Result<String, Failure> {
    random::<32>()
}

/// Random bytes, in hex.
pub(super) fn random<const BYTES: usize>() -> Result<String, Failure> {
    let mut bytes = [0; BYTES];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| Failure::Output(std::io::Error::other(error.to_string())))?;
    Ok(hex::encode(bytes))
}

/// Whether two texts are equal, in a time that does not tell where they differ.
fn same(a: &str, b: &str) -> bool {
    let differing = a.bytes().zip(b.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access::new(([127, 0, 0, 1], 8055).into(), true).expect("randomness")
    }

    #[test]
    fn hosts_are_localhost_and_addresses_at_our_port() {
        let access = access();
        for own in ["127.0.0.1:8055", "localhost:8055", "LOCALHOST:8055", "[::1]:8055"] {
            assert!(access.is_own_authority(own), "{own}");
        }
        for other in [
            "",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:80",
            "evil.example:8055",
            "localhost.evil.example:8055",
            "127.0.0.1.evil.example:8055",
            "::1:8055",
            "[::1]",
            "[127.0.0.1]:8055",
            "user@127.0.0.1:8055",
            "127.0.0.1:8055:8055",
        ] {
            assert!(!access.is_own_authority(other), "{other}");
        }
    }

    #[test]
    fn the_token_of_the_address_works_once() {
        let access = access();
        let token = access.once().expect("a token");
        assert!(access.exchange("").is_none() && access.exchange(&token[1..]).is_none());
        assert!(access.exchange(&token).is_some());
        assert!(access.exchange(&token).is_none() && access.once().is_none());
    }
}
