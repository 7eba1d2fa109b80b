import { expect, it } from "vitest";
import { draw, labelLettersMax, nodeHeight, nodeWidth } from "../../src/mgmt/ui/lib/topology.ts";

/** What a letter of a label is wide, at most. */
const letterWidth = 6.6;

it("no label of the topology is covered by what it leads to", () => {
  const nodes = ["events", "orders", "emails", "audit"].map((name) => ({
    ...{ id: name, kind: "queue" as const, name },
    ...{ note: "", rate: 0 },
  }));
  const labels = ["user.#, order.paid", "order.*", "a.very.long.routing.key.that.is.cut"];
  const edges = labels.map((label, index) => ({ from: "events", to: nodes[index + 1]?.id ?? "", label }));
  const drawing = draw({ nodes, edges, omitted: 0 });
  for (const { label, middle } of drawing.edges) {
    const half = (Math.min(label.length, labelLettersMax) * letterWidth) / 2;
    const covering = drawing.nodes.filter(
      ({ x, y }) => Math.abs(x - middle.x) < nodeWidth / 2 + half && Math.abs(y - middle.y) < nodeHeight / 2 + 8,
    );
    expect(covering.map(({ id }) => id)).toEqual([]);
  }
});
