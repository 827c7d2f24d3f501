//! A member that works on tasks. It loads keys from its own files; tasks name them by label.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::prelude::SessionConfig;
use sts_query::sql::{Holders, scalar_functions, window_functions};

use crate::tls::{self, Tls};
use crate::{ExecutorArgs, Failure};

/// Seconds to wait for a scheduler that is being started.
const SCHEDULER_TIMEOUT: u16 = 30;
/// Seconds between looks for parts of answers that nobody wants any more.
const CLEAN_UP: u64 = 600;
/// Seconds between signs of life.
const HEARTBEAT: u64 = 2;

pub(crate) async fn run(args: &ExecutorArgs) -> Result<(), Failure> {
    let tls = Tls::new(&args.tls)?;
    tls::check(args.listen, tls.as_ref())?;
    let (scheduler_host, scheduler_port) = args
        .scheduler
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .ok_or_else(|| Failure(format!("--scheduler {:?}, expected HOST:PORT", args.scheduler)))?;
    let holders = Holders::labelled(args.holder.open()?);
    let mut registry = BallistaFunctionRegistry::default();
    for function in scalar_functions(&holders) {
        registry.scalar_functions.insert(function.name().to_owned(), function);
    }
    for function in window_functions(&holders) {
        registry.window_functions.insert(function.name().to_owned(), function);
    }
    // The engine tells others the port that it listens on: it is the same on both sides of TLS.
    let inner = SocketAddr::from((Ipv4Addr::LOCALHOST, args.listen.port()));
    if let Some(tls) = &tls {
        if args.listen.ip() == inner.ip() || args.listen.ip().is_unspecified() {
            return Err(Failure(format!(
                "--listen {}: with TLS expected an address of this machine that others reach",
                args.listen
            )));
        }
        tls.inwards(args.listen, inner).await?;
    }
    let outwards = tls.as_ref().map(Tls::outwards);
    let fetching = outwards.clone();
    let memory = args.memory.map(|mebibytes| mebibytes << 20);
    let mut config = ExecutorProcessConfig {
        bind_host: if tls.is_some() { inner.ip() } else { args.listen.ip() }.to_string(),
        external_host: Some(args.listen.ip().to_string()),
        port: args.listen.port(),
        scheduler_host,
        scheduler_port,
        scheduler_connect_timeout_seconds: SCHEDULER_TIMEOUT,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        work_dir: args.work_dir.as_ref().map(|folder| folder.display().to_string()),
        // The scheduler cannot tell executors that ask for work when a query is over.
        job_data_ttl_seconds: args.keep.saturating_mul(3600),
        job_data_clean_up_interval_seconds: CLEAN_UP,
        executor_heartbeat_interval_seconds: HEARTBEAT,
        memory_pool_size: memory,
        override_function_registry: Some(Arc::new(registry)),
        override_create_grpc_client_endpoint: outwards,
        override_config_producer: Some(Arc::new(move || {
            let config =
                SessionConfig::new_with_ballista().with_ballista_use_tls(fetching.is_some());
            match &fetching {
                Some(outwards) => {
                    config.with_ballista_override_create_grpc_client_endpoint(Arc::clone(outwards))
                }
                None => config,
            }
        })),
        ..ExecutorProcessConfig::default()
    };
    if let Some(cores) = args.cores {
        config.vcores = cores;
    }
    for label in holders.labels() {
        println!("holds {label}");
    }
    println!("executor at {}{}", args.listen, if tls.is_some() { ", with TLS" } else { "" });
    Ok(start_executor_process(Arc::new(config)).await?)
}
