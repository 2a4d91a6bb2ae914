//! Columnar kernels over Arrow and Parquet, as an addon of their own.
