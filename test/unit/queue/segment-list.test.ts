import { describe, expect, it } from "vitest";
import { Segment } from "../../../src/queue/segment.ts";
import { SegmentList } from "../../../src/queue/segment-list.ts";
import { message } from "../../support/messages.ts";

/** A list of segments with so many messages each. */
function listOf(...counts: number[]): { list: SegmentList; segments: Segment[] } {
  const list = new SegmentList();
  const segments = counts.map((count, i) => {
    const segment = new Segment(i + 1, 1, 0, undefined);
    for (let n = 0; n < count; n++) segment.append(message({}), 0);
    list.push(segment);
    list.ready += count;
    return segment;
  });
  return { list, segments };
}

/** Takes the first ready message: "segment.index". */
function take(list: SegmentList): string {
  const found = list.seek();
  const { foundSegment: segment, foundIndex: index } = list;
  if (found !== "found" || segment === undefined) return found;
  segment.markUnacked(index);
  list.take(segment, index);
  return `${segment.number}.${index}`;
}

function putBack(list: SegmentList, segment: Segment | undefined, index: number): void {
  segment?.markReady(index);
  if (segment !== undefined) list.putBack(segment, index);
}

describe("a list of segments", () => {
  it("finds messages in order over all segments", () => {
    const { list } = listOf(2, 0, 1);
    expect([1, 2, 3, 4].map(() => take(list))).toEqual(["1.0", "1.1", "3.0", "empty"]);
  });

  it("finds those put back first, in their order", () => {
    const { list, segments } = listOf(3, 2);
    for (let i = 0; i < 4; i++) take(list);
    putBack(list, segments[1], 0);
    putBack(list, segments[0], 2);
    putBack(list, segments[0], 0);
    expect([1, 2, 3, 4, 5].map(() => take(list))).toEqual(["1.0", "1.2", "2.0", "2.1", "empty"]);
  });

  it("goes on where it was when segments before or at the cursor are removed", () => {
    const { list, segments } = listOf(1, 2, 1);
    const remove = (segment: Segment | undefined): void => {
      if (segment !== undefined) list.remove(segment);
    };
    expect([take(list), take(list)]).toEqual(["1.0", "2.0"]);
    remove(segments[0]);
    expect(take(list)).toBe("2.1");
    remove(segments[1]);
    expect(take(list)).toBe("3.0");
    remove(segments[2]);
    const next = new Segment(4, 1, 0, undefined);
    list.push(next);
    next.append(message({}), 0);
    list.ready++;
    expect(take(list)).toBe("4.0");
  });

  it("waits at the end of the last segment for what it gets next", () => {
    const { list, segments } = listOf(1);
    expect([take(list), take(list)]).toEqual(["1.0", "empty"]);
    segments[0]?.append(message({}), 0);
    list.ready++;
    expect(take(list)).toBe("1.1");
  });

  it("remembers nothing of messages that are put back and taken over and over", () => {
    const { list, segments } = listOf(3);
    for (let round = 0; round < 1000; round++) {
      expect([take(list), take(list)]).toEqual(["1.0", "1.1"]);
      putBack(list, segments[0], 1);
      putBack(list, segments[0], 0);
      expect(list.requeued).toBe(2);
    }
  });

  it("forgets messages put back that went without being sought", () => {
    const { list, segments } = listOf(2);
    const [segment] = segments;
    take(list);
    take(list);
    for (const index of [0, 1]) putBack(list, segment, index);
    for (const index of [1, 0]) {
      segment?.settle(index, false);
      if (segment !== undefined) list.take(segment, index);
    }
    segment?.append(message({}), 0);
    list.ready++;
    expect(take(list)).toBe("1.2");
    putBack(list, segment, 2);
    expect(list.requeued).toBe(1);
  });
});
