"""What is asked of one list: by pages with variables, and as a bulk operation without any."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Listing:
    """What is asked of one connection of the shop.

    - ``root``: its name; ``sort``: the order of its pages; ``fields``: of each row
    - ``kind``, ``line``: the type of a row, and the fields of each of its ``lineItems``; none when not given
    - ``lines``: how many of them come with the row, the rest are asked for by themselves
    """

    root: str
    sort: str
    fields: str
    kind: str = ""
    line: str = ""
    lines: int = 10

    def paged(self) -> str:
        """The query for a page."""
        inner = f"lineItems(first: {self.lines}) {self._nodes(self.line)}" if self.line else ""
        return f"""query Page($first: Int!, $after: String, $query: String) {{
  {self.root}(first: $first, after: $after, query: $query, sortKey: {self.sort}) {self._nodes(self.fields + inner)}
}}"""

    def more_lines(self) -> str:
        """The query for further lines of one row."""
        return f"""query Lines($id: ID!, $after: String) {{
  node(id: $id) {{ ... on {self.kind} {{ lineItems(first: 100, after: $after) {self._nodes(self.line)} }} }}
}}"""

    def bulk(self, search: str | None) -> str:
        """The document of a bulk operation over the rows that a search finds; of all without one."""
        which = f"(query: {json.dumps(search)})" if search else ""
        inner = f"lineItems {{ edges {{ node {{ {self.line} }} }} }}" if self.line else ""
        return f"{{ {self.root}{which} {{ edges {{ node {{ {self.fields} {inner} }} }} }} }}"

    def counted(self) -> str:
        """The query for the number of rows that a search finds, up to a limit."""
        return f"""query Count($query: String, $limit: Int) {{
  count: {self.root}Count(query: $query, limit: $limit) {{ count }}
  currentAppInstallation {{ accessScopes {{ handle }} }}
}}"""

    def _nodes(self, fields: str) -> str:
        return f"{{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }}"
