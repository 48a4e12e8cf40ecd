"""Tables as parquet files, with what Hugging Face's loader must know in their schema."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_TYPES = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "int": pa.int64(),
    "float": pa.float64(),
    "picture": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
}
_TEXT = {"dtype": "string", "_type": "Value"}
_FEATURES: dict[str, Any] = {
    "text": _TEXT,
    "texts": {"feature": _TEXT, "_type": "List"},
    "int": {"dtype": "int64", "_type": "Value"},
    "float": {"dtype": "float64", "_type": "Value"},
    "picture": {"_type": "Image"},
}


class PyarrowTable:
    """A parquet file; every call of `add` is one row group. Pictures are stored as they are, compressed already."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        features = {name: _FEATURES[kind] for name, kind in columns.items()}
        about = {"huggingface": json.dumps({"info": {"features": features}})}
        self._schema = pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()], metadata=about)
        pictures = [name for name, kind in columns.items() if kind == "picture"]
        compression = dict.fromkeys(columns, "SNAPPY") | {f"{name}.bytes": "NONE" for name in pictures}
        self._writer = pq.ParquetWriter(path, self._schema, compression=compression, use_dictionary=False)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append the rows as a group."""
        self._writer.write_table(pa.Table.from_pylist(list(rows), schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
