import type { JSX } from "preact";
import { ranges, useRange } from "../lib/ranges.ts";

/** Buttons for how far back charts go. */
export function RangeChoice(): JSX.Element {
  const [range, choose] = useRange();
  return (
    <fieldset class="segmented" aria-label="Chart range">
      {ranges.map(({ id, title }) => (
        <button key={id} type="button" aria-pressed={id === range.id} title={title} onClick={() => choose(id)}>
          {id}
        </button>
      ))}
    </fieldset>
  );
}
