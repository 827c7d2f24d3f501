//! Members that know each other: TLS with certificates on both sides, in front of the engine's own
//! servers, which listen on this machine alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::{Failure, TlsArgs};

/// How long a member may take to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a member shows to others, and whom it believes.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    client: ClientTlsConfig,
}

impl Tls {
    /// From the files named; `None` where none is.
    pub(crate) fn new(args: &TlsArgs) -> Result<Option<Self>, Failure> {
        let (Some(ca), Some(cert), Some(key)) = (&args.tls_ca, &args.tls_cert, &args.tls_key)
        else {
            return Ok(None);
        };
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|error| Failure(format!("{}: cannot be read: {error}", path.display())))
        };
        let of = |path: &Path, problem: &dyn std::fmt::Display| {
            Failure(format!("{}: {problem}, expected PEM", path.display()))
        };
        let (ca_pem, cert_pem, key_pem) = (read(ca)?, read(cert)?, read(key)?);
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(&ca_pem) {
            roots.add(root.map_err(|error| of(ca, &error))?).map_err(|error| of(ca, &error))?;
        }
        let chain = CertificateDer::pem_slice_iter(&cert_pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| of(cert, &error))?;
        let private = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|error| of(key, &error))?;
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| of(ca, &error))?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, private)
            .map_err(|error| of(cert, &error))?;
        server.alpn_protocols = vec![b"h2".to_vec()];
        let client = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(ca_pem))
            .identity(Identity::from_pem(cert_pem, key_pem));
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(server)), client }))
    }

    /// Makes the engine's connections to others such ones.
    pub(crate) fn outwards(&self) -> EndpointOverrideFn {
        let client = self.client.clone();
        Arc::new(move |endpoint: Endpoint| {
            let authority = endpoint.uri().authority().map(ToString::to_string);
            let address = format!("https://{}", authority.unwrap_or_default());
            Ok(Endpoint::from_shared(address)?
                .tls_config(client.clone())?
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_nodelay(true)
                .keep_alive_while_idle(true))
        })
    }

    /// Listens, and passes on to a server on this machine what comes from members.
    pub(crate) async fn inwards(&self, listen: SocketAddr, to: SocketAddr) -> Result<(), Failure> {
        let listener = bind(listen).await?;
        let acceptor = self.acceptor.clone();
        tokio::spawn(async move {
            loop {
                // A connection that fails is its own matter; no more descriptors passes.
                let Ok((incoming, from)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let shaken = tokio::time::timeout(CONNECT_TIMEOUT, acceptor.accept(incoming));
                    let mut incoming = match shaken.await {
                        Ok(Ok(incoming)) => incoming,
                        Ok(Err(error)) => return eprintln!("warning: {from} turned away: {error}"),
                        Err(_) => return eprintln!("warning: {from} turned away: too slow"),
                    };
                    if let Ok(mut server) = TcpStream::connect(to).await {
                        let _ = server.set_nodelay(true);
                        let _ = copy_bidirectional(&mut incoming, &mut server).await;
                    }
                });
            }
        });
        Ok(())
    }
}

/// A listener at an address.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure(format!("--listen {address}: cannot be taken: {error}")))
}

/// Without TLS nobody beyond this machine is listened to.
pub(crate) fn check(listen: SocketAddr, tls: Option<&Tls>) -> Result<(), Failure> {
    if tls.is_none() && !listen.ip().is_loopback() {
        return Err(Failure(format!(
            "--listen {listen}: is beyond this machine, expected --tls-ca, --tls-cert and --tls-key"
        )));
    }
    Ok(())
}
