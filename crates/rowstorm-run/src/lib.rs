//! The runner: tasks, clocks, retries, accounting, telemetry
