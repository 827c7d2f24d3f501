//! `sts serve`: a page for the call centre, and an API, on this machine.

mod access;
mod anatomy;
mod answers;
mod jobs;
mod limits;
mod page;
mod problem;
mod routes;

use std::convert::Infallible;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use owo_colors::OwoColorize;
use sts_harness::case::{Case, Overrides};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};

use self::access::Access;
use self::answers::Shelf;
use self::jobs::Jobs;
use self::limits::Rate;
use self::problem::Problem;
use crate::args::ServeArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys::{self, FromFiles};
use crate::out::Out;
use crate::search;

/// Everything that answers.
struct Server {
    access: Access,
    rate: Rate,
    shelf: Arc<Shelf>,
    jobs: Arc<Jobs>,
    /// Questions that are worked on at once: one a core.
    cores: Arc<Semaphore>,
}

pub(crate) fn run(args: &ServeArgs, out: &mut Out) -> Done {
    let shelf = Arc::new(shelf(args, out)?);
    let listener = std::net::TcpListener::bind(args.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| Failure::Usage(format!("--listen {}: {error}", args.listen)))?;
    let at = listener.local_addr()?;
    let access = Access::new(at, args.token_file.is_some())?;
    let token_file = args.token_file.as_deref().zip(access.bearer());
    let _token_file = token_file.map(|(path, token)| TokenFile::new(path, token)).transpose()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let server = Arc::new(Server {
        access,
        rate: Rate::default(),
        shelf,
        jobs: Arc::new(Jobs::new()?),
        cores: Arc::new(Semaphore::new(cores)),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(cores)
        .build()?;
    let served = runtime.block_on(async {
        let stop = stop()?;
        tokio::spawn(accept(TcpListener::from_std(listener)?, Arc::clone(&server)));
        announce(at, &server.access, out)?;
        stop.notified().await;
        Ok(())
    });
    // Nobody waits for an answer any more.
    runtime.shutdown_background();
    server.jobs.clear();
    served.map(|()| Exit::Good)
}

/// Reads all that questions are answered from, and unlocks its keys.
fn shelf(args: &ServeArgs, out: &mut Out) -> Result<Shelf, Failure> {
    let case = match &args.case {
        Some(folder) => {
            let overrides = Overrides::new(args.keys.keys.as_deref(), None, true);
            Case::load(folder, overrides, &mut FromFiles::new(&args.keys))?
        }
        None => Case::new(keys::ring(&args.keys, out)?),
    };
    for warning in &case.warnings {
        out.warning(warning);
    }
    for file in &case.rejected {
        out.warning(format_args!("{}: {} rows were not taken", file.file, file.rows.len()));
    }
    let closed = case.closed().map_err(Failure::Usage)?;
    let search = search::settings(&args.search)?;
    Ok(Shelf { case, closed, search, has_records: args.case.is_some() })
}

/// Says where the page is, and who can reach it.
fn announce(at: SocketAddr, access: &Access, out: &mut Out) -> Result<(), Failure> {
    if !at.ip().is_loopback() {
        out.warning(format_args!(
            "listening on {at}: other machines can reach this page, and nothing on the way is \
             encrypted; whoever reads the address below gets in"
        ));
    }
    let token = access.once().unwrap_or_default();
    out.line(format!("http://{at}/?t={token}").bold())?;
    out.line("Open this address in a browser. It works once; the page stays open until Ctrl-C.")?;
    out.pass_on()
}

/// The token for programs in a file, for as long as the server runs.
struct TokenFile<'a>(&'a Path);

impl<'a> TokenFile<'a> {
    fn new(path: &'a Path, token: &str) -> Result<Self, Failure> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let written = options.open(path).and_then(|mut file| writeln!(file, "{token}"));
        written.map_err(|error| Failure::in_file(path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for TokenFile<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

/// Notified when the user has enough. From here on no signal ends the server unheard.
fn stop() -> std::io::Result<Arc<Notify>> {
    let stop = Arc::new(Notify::new());
    #[cfg(unix)]
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let (mut signal, stop) = (signal(kind)?, Arc::clone(&stop));
        tokio::spawn(async move {
            signal.recv().await;
            stop.notify_one();
        });
    }
    #[cfg(not(unix))]
    {
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.notify_one();
            }
        });
    }
    Ok(stop)
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS));
    loop {
        // Whoever finds all places taken waits in the queue of the system.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    connection(stream, peer.ip(), server).await;
                    drop(place);
                });
            }
            // Of this connection, or for want of descriptors, which others will give back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, peer: IpAddr, server: Arc<Server>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(routes::answer(server, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD)
        .max_buf_size(limits::HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // What ends a connection is the client's business.
    let _ = tokio::time::timeout(limits::CONNECTION, connection).await;
}

impl Server {
    /// Works on a question off the thread that talks to clients, as many at once as there are cores.
    async fn work<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let gone = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| gone())?;
        let work = tokio::task::spawn_blocking(move || {
            let _core = core;
            question()
        });
        work.await.map_err(|_| gone())?
    }
}
