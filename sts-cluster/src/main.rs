//! `sts-cluster`: tokens on many machines.
//!
//! A scheduler takes queries and cuts them into tasks, executors work on the tasks and hold the keys,
//! and who submits a query gets its answers. The distributing is Apache DataFusion Ballista's; the
//! functions are those of `sts-query`.

mod answers;
mod executor;
mod scheduler;
mod submit;
mod tls;

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sts_query::Functions;
use sts_query::keys::SecretFiles;
use sts_query::sql::Label;

/// Replays and queries STS tokens on many machines.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Take queries, and give their tasks to executors.
    Scheduler(SchedulerArgs),
    /// Work on tasks, with keys of one's own.
    Executor(ExecutorArgs),
    /// Say the label and fingerprint that queries name keys by.
    Fingerprint(HolderArgs),
    /// Run a query on the cluster.
    Submit(SubmitArgs),
    /// Replay entries against meters on the cluster: the verdicts of `sts replay --alone`.
    Replay(ReplayArgs),
}

/// How others are known: files in PEM. Between machines all of them are needed.
#[derive(Args, Clone)]
struct TlsArgs {
    /// The certificate of the authority that every member's is from.
    #[arg(long, value_name = "FILE", requires_all = ["tls_cert", "tls_key"])]
    tls_ca: Option<PathBuf>,
    /// This member's certificate, in the name of the address that others reach it by.
    #[arg(long, value_name = "FILE", requires = "tls_ca")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate.
    #[arg(long, value_name = "FILE", requires = "tls_ca")]
    tls_key: Option<PathBuf>,
}

#[derive(Args)]
struct SchedulerArgs {
    /// Where to listen. Beyond this machine only with TLS.
    #[arg(long, default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    /// Seconds without a sign of an executor after which it is lost, and what it worked on is given
    /// up and run anew by who asked for it.
    #[arg(long, default_value_t = 6, value_name = "SECONDS")]
    executor_timeout: u64,
    /// Seconds without any executor after which queries fail.
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    no_executor_timeout: u64,
    #[command(flatten)]
    tls: TlsArgs,
}

#[derive(Args)]
struct ExecutorArgs {
    /// The scheduler's address.
    #[arg(long, default_value = "127.0.0.1:50050", value_name = "HOST:PORT")]
    scheduler: String,
    /// Where to listen, for the others. Beyond this machine only with TLS.
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// How many tasks at once; as many as there are cores where not given.
    #[arg(long)]
    cores: Option<usize>,
    /// Memory for sorting and joining, in MiB; more goes to disk. A share of the machine's where
    /// not given.
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// Where parts of answers are kept until they are fetched. A new folder where not given.
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,
    /// Hours after which parts of answers are removed: more than any query takes.
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    keep: u64,
    #[command(flatten)]
    holder: HolderArgs,
    #[command(flatten)]
    tls: TlsArgs,
}

/// What an executor holds. Queries name it by label and fingerprint; it never leaves the process.
#[derive(Args)]
struct HolderArgs {
    /// Keys, and the label that queries ask them by. May be repeated.
    #[arg(long, value_name = "LABEL=FILE", required = true, value_parser = pair)]
    keys: Vec<(String, PathBuf)>,
    /// A file with the 32 bytes that the key files are sealed under.
    #[arg(long, value_name = "FILE")]
    kek_file: Option<PathBuf>,
    /// A file with the passphrase that the key files are sealed under.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// A profile that meters name. May be repeated.
    #[arg(long, value_name = "FILE")]
    profile: Vec<String>,
    /// Beliefs about causes in place of the built-in ones.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// How a query is run.
#[derive(Args)]
struct QueryArgs {
    /// The scheduler's address.
    #[arg(long, default_value = "127.0.0.1:50050", value_name = "HOST:PORT")]
    scheduler: String,
    /// Into how many parts tables are cut where that must be done: some for each core of the cluster.
    #[arg(long, default_value_t = 16)]
    partitions: usize,
    /// A file for the answers, in the form that its name ends in: .parquet, .csv, .json or
    /// .ndjson.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How often a query, or a part of a replay, is run anew where an executor was lost.
    #[arg(long, default_value_t = 2)]
    retries: u32,
    #[command(flatten)]
    tls: TlsArgs,
}

#[derive(Args)]
struct SubmitArgs {
    /// In SQL, with the functions of `sts sql`; those that ask keys take a last argument more, the
    /// label and fingerprint.
    query: String,
    /// A table: a file or folder where the executors find it too. May be repeated.
    #[arg(long, value_name = "NAME=PATH", value_parser = pair)]
    table: Vec<(String, PathBuf)>,
    #[command(flatten)]
    run: QueryArgs,
}

#[derive(Args)]
struct ReplayArgs {
    /// The meters as they were at first, with the columns of meters.csv.
    #[arg(long, value_name = "PATH")]
    meters: PathBuf,
    /// What happened at them, with the columns of entries.csv.
    #[arg(long, value_name = "PATH")]
    entries: PathBuf,
    /// Whose keys to ask, as `sts-cluster fingerprint` says it.
    #[arg(long, value_name = "LABEL@FINGERPRINT")]
    keys: Label,
    /// Into how many parts, by meter, the replay is cut: where an executor is lost, the part under
    /// way is run anew. Each reads all entries.
    #[arg(long, default_value = "4")]
    slices: NonZeroU32,
    #[command(flatten)]
    run: QueryArgs,
}

/// `NAME=PATH`.
fn pair(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err(format!("{text:?}, expected NAME=PATH")),
    }
}

impl HolderArgs {
    /// The functions of each label. What a user should know of the key files is told.
    fn open(&self) -> Result<Vec<(String, Functions)>, Failure> {
        let secrets =
            SecretFiles { kek: self.kek_file.clone(), passphrase: self.passphrase_file.clone() };
        let profiles: Vec<&str> = self.profile.iter().map(String::as_str).collect();
        let held = self.keys.iter().map(|(label, path)| {
            let (ring, warnings) = secrets.open(path)?;
            for warning in warnings {
                eprintln!("warning: {warning}");
            }
            let model =
                self.model.as_deref().map(sts_harness::diagnose::Model::load).transpose()?;
            let functions =
                Functions::with(ring, &profiles, model.unwrap_or_default()).map_err(Failure)?;
            Ok((label.clone(), functions))
        });
        held.collect()
    }
}

/// Why a verb failed, in words.
struct Failure(String);

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Who asks is told what failed by this program; what the engine says besides is for who runs it.
    let level = match arguments.verb {
        Verb::Scheduler(_) | Verb::Executor(_) => log::LevelFilter::Error,
        _ => log::LevelFilter::Off,
    };
    env_logger::Builder::new().filter_level(level).parse_default_env().init();
    let run = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match &arguments.verb {
                Verb::Scheduler(args) => scheduler::run(args).await,
                Verb::Executor(args) => executor::run(args).await,
                Verb::Fingerprint(args) => {
                    for (label, functions) in args.open()? {
                        println!("{label}@{}", functions.fingerprint());
                    }
                    Ok(())
                }
                Verb::Submit(args) => submit::submit(args).await,
                Verb::Replay(args) => submit::replay(args).await,
            }
        })
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}
