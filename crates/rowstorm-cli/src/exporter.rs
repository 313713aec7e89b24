//! `--metrics`: our own counters, as Prometheus reads them. The truth is in the run record; this is a view.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::exit::{Exit, Failure, Result};

/// Histograms keep what was observed until somebody reads or tidies them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds of both histograms, in seconds: three a decade, from a local batch to a server in distress.
const BUCKETS_SECONDS: [f64; 16] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0,
];

/// The text format that the exporter renders.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A served endpoint.
#[derive(Debug)]
pub(crate) struct Exporter {
    /// The address that it got: the port is real where 0 was asked for.
    pub(crate) address: SocketAddr,
    ready: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Served {
    handle: PrometheusHandle,
    ready: Arc<AtomicBool>,
}

impl Exporter {
    /// Installs the recorder of this process and serves it on `address` until the process ends.
    pub(crate) async fn start(address: SocketAddr) -> Result<Exporter> {
        let handle = install()?;
        let cannot = |cause: std::io::Error| {
            Failure::usage(format!("--metrics: cannot listen on {address}: {cause}"))
                .help("give another address, for example --metrics 127.0.0.1:0")
        };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let ready = Arc::new(AtomicBool::new(false));
        tokio::spawn(upkeep(handle.clone()));
        let router = router(Served { handle, ready: Arc::clone(&ready) });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Exporter { address, ready })
    }

    /// `/readyz` answers 200 from now on, or 503.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }
}

fn install() -> Result<PrometheusHandle> {
    let internal = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Internal, format!("the metrics recorder: {error}"))
    };
    let buckets = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(buckets, &BUCKETS_SECONDS)
        .map_err(|error| internal(&error))?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|error| internal(&error))?;
    rowstorm::runner::describe();
    Ok(handle)
}

async fn upkeep(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        handle.run_upkeep();
    }
}

/// Three paths; axum answers 404 to all others.
fn router(served: Served) -> Router {
    Router::new()
        .route("/metrics", get(metrics_text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .with_state(served)
}

async fn metrics_text(State(served): State<Served>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], served.handle.render())
}

async fn readiness(State(served): State<Served>) -> impl IntoResponse {
    if served.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "running\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not running\n")
    }
}
