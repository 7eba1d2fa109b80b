import type { ComponentChildren, JSX } from "preact";
import type { Row } from "../lib/row.ts";
import { Empty } from "./page.tsx";

/** A short list that is part of a page. */
export function PlainTable(props: {
  readonly rows: readonly Row[];
  readonly columns: readonly (readonly [title: string, cell: (row: Row) => ComponentChildren, numeric?: "numeric"])[];
  readonly empty: ComponentChildren;
}): JSX.Element {
  const { rows, columns, empty } = props;
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div class="scroller part">
      <table>
        <thead>
          <tr>
            {columns.map(([title, , kind]) => (
              <th key={title} scope="col" class={kind ?? ""}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {columns.map(([title, cell, kind]) => (
                <td key={title} class={kind ?? ""}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
