//! CSV, JSON Lines and Parquet files for Rowstorm
