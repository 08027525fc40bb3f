import type { FaultRule, SandboxPart } from "./faultRule";

interface Entry {
  readonly rule: FaultRule;
  readonly method: RegExp | undefined;
  readonly path: RegExp | undefined;
  /** Requests the selectors matched. */
  seen: number;
  /** Requests it acted on. */
  used: number;
}

/** A rule with its counters since it was set. */
export interface FaultRuleStatus {
  readonly rule: FaultRule;
  /** Requests part, method and path of the rule matched. */
  readonly seen: number;
  /** Requests the rule acted on. */
  readonly used: number;
}

/**
 * The rules in force. Every rule counts all requests its part, method and path match, whether or not it acts; the first rule
 * in order that is due acts. Setting rules starts all counts anew.
 */
export class FaultRules {
  private entries: readonly Entry[] = [];

  /** Replaces all rules. */
  set(rules: readonly FaultRule[]): void {
    this.entries = rules.map((rule) => ({
      rule,
      method: rule.method === undefined ? undefined : new RegExp(`^(?:${rule.method})$`),
      path: rule.path === undefined ? undefined : new RegExp(rule.path),
      seen: 0,
      used: 0,
    }));
  }

  /** The rule that acts on this request, which is counted. */
  match(part: SandboxPart, method: string, path: string): FaultRule | undefined {
    let acting: Entry | undefined;
    for (const entry of this.entries) {
      if (!selects(entry, part, method, path)) continue;
      entry.seen++;
      if (!acting && due(entry)) acting = entry;
    }
    if (acting) acting.used++;
    return acting?.rule;
  }

  /** All rules with their counters, in order. */
  status(): readonly FaultRuleStatus[] {
    return this.entries.map(({ rule, seen, used }) => ({ rule, seen, used }));
  }
}

function selects(
  { rule, method, path }: Entry,
  part: SandboxPart,
  requestMethod: string,
  requestPath: string,
): boolean {
  if (rule.part !== undefined && rule.part !== part) return false;
  return (method?.test(requestMethod) ?? true) && (path?.test(requestPath) ?? true);
}

function due({ rule, seen, used }: Entry): boolean {
  const position = seen - (rule.skip ?? 0);
  if (position < 1 || used >= (rule.times ?? Infinity)) return false;
  if (rule.nth !== undefined && position !== rule.nth) return false;
  return rule.every === undefined || position % rule.every === 0;
}
