"""The fields of each transaction as data (*.toml in this folder): from them input is checked and output is made."""

from gateway.fields.reading import read, read_fields
from gateway.fields.tables import Field, Node, Tables, known, name_of, tables
from gateway.fields.writing import NOTHING, write

__all__ = ["NOTHING", "Field", "Node", "Tables", "known", "name_of", "read", "read_fields", "tables", "write"]
