//! The member that takes queries and hands out tasks. It holds no keys.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::cluster::ClusterStateEvent;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use futures::StreamExt;
use sts_query::sql::{self, Holders};

use crate::tls::{self, Tls};
use crate::{Failure, SchedulerArgs};

/// How often executors are looked after, in seconds.
const LOOK_AFTER: u64 = 1;

type Scheduler = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

pub(crate) async fn run(args: &SchedulerArgs) -> Result<(), Failure> {
    let tls = Tls::new(&args.tls)?;
    tls::check(args.listen, tls.as_ref())?;
    let listener = match &tls {
        None => tls::bind(args.listen).await?,
        Some(tls) => {
            let inner = tls::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            tls.inwards(args.listen, inner.local_addr()?).await?;
            inner
        }
    };
    let nobody = Holders::elsewhere();
    let config = SchedulerConfig {
        bind_port: args.listen.port(),
        external_host: args.listen.ip().to_string(),
        // Executors ask for work: nobody need reach them but for parts of answers.
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        executor_timeout_seconds: args.executor_timeout,
        expire_dead_executor_interval_seconds: LOOK_AFTER,
        // A stage that lost what it reads is not tried again by the engine: see `watch`.
        stage_max_failures: 1,
        override_session_builder: Some(Arc::new(move |config: SessionConfig| {
            let mut state = default_session_builder(config)?;
            sql::register(&mut state, &nobody)?;
            Ok(state)
        })),
        use_tls: tls.is_some(),
        override_create_grpc_client_endpoint: tls.as_ref().map(Tls::outwards),
        ..SchedulerConfig::default()
    };
    config.validate()?;
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let scheduler =
        create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await?;
    println!("scheduler at {}{}", args.listen, if tls.is_some() { ", with TLS" } else { "" });
    // Without the watch no answer could be trusted.
    tokio::select! {
        served = start_grpc_service_with_listener(listener, scheduler.clone()) => Ok(served?),
        watched = watch(scheduler, args.no_executor_timeout) => Ok(watched?),
    }
}

/// Gives up the queries that a lost executor worked on, and those that nobody came to work on.
///
/// Ballista 55 works on such a query further, and what others had answered of a stage that it rolls
/// back is then in the answers twice. So a query of which anything was lost has no answers, and who
/// asked runs it anew.
async fn watch(scheduler: Scheduler, no_executor_timeout: u64) -> Result<(), BallistaError> {
    let mut events = scheduler.cluster_state_events().await?;
    let mut look = tokio::time::interval(Duration::from_secs(LOOK_AFTER));
    let timeout = Duration::from_secs(no_executor_timeout);
    // When each executor was last heard, on the clock of the engine.
    let mut heard: HashMap<String, Duration> = HashMap::new();
    let mut last_alive = Instant::now();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(ClusterStateEvent::RemovedExecutor { executor_id }) => {
                    give_up(&scheduler, heard.remove(&executor_id)).await?;
                }
                Some(_) => {}
                None => return Err(BallistaError::Internal("no news of executors".to_owned())),
            },
            _ = look.tick() => {
                for (executor, at, _) in scheduler.state.executor_manager.get_executors_state().await? {
                    last_alive = Instant::now();
                    if let Some(at) = at {
                        heard.insert(executor.id, at);
                    }
                }
                if last_alive.elapsed() > timeout {
                    give_up(&scheduler, None).await?;
                }
            }
        }
    }
}

/// Gives up the queries that were begun before a time: a task is taken with a sign of life, so who was
/// not heard after that has none of their tasks.
async fn give_up(scheduler: &Scheduler, begun: Option<Duration>) -> Result<(), BallistaError> {
    for (job, cached) in scheduler.state.task_manager.get_running_job_cache().iter() {
        let start = cached.execution_graph.read().await.start_time();
        // Signs of life are in whole seconds.
        if begun.is_none_or(|until| Duration::from_millis(start) < until + Duration::from_secs(1)) {
            log::warn!("query {job} is given up: an executor was lost, or none came");
            scheduler.cancel_job(job.clone()).await?;
        }
    }
    Ok(())
}
