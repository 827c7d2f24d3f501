//! The member that takes queries and hands out tasks. It holds no keys.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use sts_query::sql::{self, Holders};

use crate::tls::{self, Tls};
use crate::{Failure, SchedulerArgs};

/// How often executors are looked after, in seconds.
const LOOK_AFTER: u64 = 3;

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
        no_executors_grace_period_seconds: args.no_executor_timeout,
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
    Ok(start_grpc_service_with_listener(listener, scheduler).await?)
}
