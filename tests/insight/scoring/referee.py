"""Scores a season anew, from its tasks.

Written after docs/scoreboards.md, not after Tally's code.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

CREDITED = {"counts", "failed", "repeated", "too_many"}
COUNTING = {"counts", "failed"}


def half_up(number: float, decimals: int) -> float:
    return math.floor(number * 10**decimals + 0.5) / 10**decimals


def median(numbers: list[float]) -> float:
    numbers, middle = sorted(numbers), len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return (numbers[middle - 1] + numbers[middle]) / 2


class Circles:
    """Who does something for whom, and whether it comes back, directly or through one other."""

    def __init__(self, pairs):
        self.pairs = {(one, other) for one, other in pairs if one != other}
        self.out = defaultdict(set)
        for one, other in self.pairs:
            self.out[one].add(other)

    def leads(self, one, other) -> bool:
        return (one, other) in self.pairs or any(
            (third, other) in self.pairs for third in self.out[one]
        )


class Season:
    """Tasks of one season: what counts, who is compared with whom, what it adds up to."""

    def __init__(self, tasks: list[dict], rules: dict):
        self.rules, self.formula = rules, rules["formula"]
        self.tasks = sorted(
            tasks,
            key=lambda it: (it["first_call"], it["workload"] or "", it["task_id"].encode()),
        )
        zone = ZoneInfo(rules["zone"])
        for task in self.tasks:
            at = datetime.fromisoformat(task["first_call"].replace("Z", "+00:00"))
            task["day"] = at.astimezone(zone).date()
            task["standing"] = self.standing(task)
        self.vouched_for_each_other()
        self.asked_before()
        self.busy = self.successes_of_days()
        self.peers_of_people = self.enough("person")
        self.too_many_a_day()
        self.sums = {of: self.added_up(of) for of in ("person", "team")}
        self.peers_of_teams = self.enough("team")

    def standing(self, task: dict) -> str:
        reporter = task["reported_by"]
        if task["result"] is None:
            return "no outcome"
        if task["cost"] is None:
            return "no price"
        if reporter is None or (task["person"] and reporter == f"person:{task['person']}"):
            return "not vouched for"
        return "counts" if task["result"] == "succeeded" else "failed"

    def of_people(self) -> dict[str, list[dict]]:
        own = defaultdict(list)
        for task in self.tasks:
            if task["person"]:
                own[task["person"]].append(task)
        return own

    @staticmethod
    def voucher(task: dict) -> str | None:
        """The other person who reported the outcome of somebody's task."""
        kind, _, name = (task["reported_by"] or "").partition(":")
        is_other = task["result"] and kind == "person" and name != task["person"]
        return name if is_other else None

    def vouched_for_each_other(self) -> None:
        circles = Circles(
            (self.voucher(task), task["person"])
            for task in self.tasks
            if task["person"] and self.voucher(task)
        )
        for person, own in self.of_people().items():
            vouched = [task for task in own if self.voucher(task)]
            mutual = [task for task in vouched if circles.leads(person, self.voucher(task))]
            if 2 * len(mutual) > len(vouched):
                for task in mutual:
                    if task["standing"] in CREDITED:
                        task["standing"] = "mutual"

    def asked_before(self) -> None:
        for own in self.of_people().values():
            seen = set()
            for task in own:
                prompt = task["fingerprint"]
                if prompt in seen and task["standing"] in CREDITED:
                    task["standing"] = "repeated"
                seen |= {prompt} - {None}

    def successes_of_days(self) -> dict:
        days = defaultdict(Counter)
        for task in self.tasks:
            if task["person"] and task["standing"] == "counts":
                days[task["person"], task["task_type"]][task["day"]] += 1
        return days

    def enough(self, of: str) -> dict:
        """Who has enough tasks of a type that repeat nothing."""
        fresh = Counter(
            (task["task_type"], task[of])
            for task in self.tasks
            if task[of] and task["standing"] in CREDITED - {"repeated"}
        )
        members = defaultdict(set)
        for (task_type, name), count in fresh.items():
            if count >= self.formula["minimum_tasks"]:
                members[task_type].add(name)
        return members

    def department(self, person: str) -> str | None:
        return self.rules["teams"].get(self.rules["people"].get(person))

    def peers(self, of: str, name: str, task_type) -> set[str] | None:
        minimum = self.formula["minimum_peers"]
        if of == "team":
            everybody = self.peers_of_teams[task_type]
        else:
            everybody = self.peers_of_people[task_type]
            department = self.department(name)
            if department is not None:
                near = {it for it in everybody if self.department(it) == department}
                if len(near) >= minimum:
                    return near
        return everybody if len(everybody) >= minimum else None

    def too_many_a_day(self) -> None:
        beyond = set()
        for (person, task_type), days in self.busy.items():
            others = (self.peers("person", person, task_type) or set()) - {person}
            counts = sorted(n for it in others for n in self.busy[it, task_type].values()) if others else []
            if not counts:
                continue
            limit = self.formula["spam_factor"] * counts[-(-95 * len(counts) // 100) - 1]
            beyond |= {(person, task_type, day) for day, count in days.items() if count > limit}
        for task in self.tasks:
            key = (task["person"], task["task_type"], task["day"])
            if task["standing"] == "counts" and key in beyond:
                task["standing"] = "too_many"

    def added_up(self, of: str) -> dict:
        """By name and type: cost, quality, counting tasks, successes."""
        sums = defaultdict(lambda: defaultdict(lambda: Counter()))
        for task in self.tasks:
            if not task[of] or task["standing"] not in CREDITED:
                continue
            one = sums[task[of]][task["task_type"]]
            one["credited"] += 1
            one["cost"] += task["pico"]
            one["frontier"] += task["tier"] == "frontier"
            one["counting"] += task["standing"] in COUNTING
            if task["standing"] == "counts":
                one["successes"] += 1
                one["below"] += task["tier"] in ("standard", "economy")
                if task["quality_bp"] is None:
                    one["untold"] += 1
                else:
                    one["told"] += task["quality_bp"]
        return sums

    def quality(self, one: Counter) -> float:
        return one["told"] / 10_000 + one["untold"] * self.formula["quality_default"]

    def others_median(self, of: str, name: str, task_type) -> float | None:
        others = (self.peers(of, name, task_type) or set()) - {name}
        sums = [self.sums[of][it][task_type] for it in others]
        costs = [it["cost"] / self.quality(it) for it in sums if self.quality(it) > 0]
        found = median(costs) if costs else None
        return found if found else None


class Referee:
    """All boards of a season."""

    def __init__(self, company: dict):
        self.company, self.formula = company, company["formula"]
        self.now, *self.before = [
            Season([dict(task) for task in season["tasks"]], company)
            for season in company["seasons"]
        ]
        self.people, self.teams = company["people"], company["teams"]
        self.points, self.saved = defaultdict(float), defaultdict(float)
        self.share()

    # --- Knowledge ----------------------------------------------------------------------

    def share(self) -> None:
        self.reuse()
        for story in self.company["stories"]:
            for name in self.self_and_team(story["author"]):
                self.points[name] += self.formula["story_points"]
        self.contributions()

    def self_and_team(self, person: str):
        team = self.people.get(person)
        return [("person", person)] + ([("team", team)] if team else [])

    def reuse(self) -> None:
        uses = defaultdict(Counter)
        costs = Counter()
        for task in self.now.tasks:
            if task["template"] and task["person"] and task["standing"] in COUNTING:
                name, _, version = task["template"].rpartition("@")
                template = name if version.isdigit() else task["template"]
                uses[template][task["person"]] += 1
                costs[template, task["person"]] += task["pico"]
        templates = self.company["templates"]
        circles = Circles((it, one["owner"]) for one in templates for it in uses[one["name"]])
        factors = {"saves": self.formula["reuse"]["confirmed_factor"], "unclear": 1, "costs": 0}
        for one in templates:
            owner, reuse = one["owner"], self.formula["reuse"]
            others = {it: n for it, n in uses[one["name"]].items() if it != owner}
            ring = {it for it in others if circles.leads(owner, it)}
            if 2 * sum(others[it] for it in ring) <= sum(others.values()):
                ring = set()
            honest = [it for it in others if it not in ring]
            if one["effect"] == "saves" and one["cost_ratio"] and 0 < one["cost_ratio"] < 1:
                cost = sum(costs[one["name"], it] for it in honest) / 1e12
                self.saved[owner] += cost * (1 / one["cost_ratio"] - 1)
            users = [it for it in honest if others[it] >= reuse["tasks"]]
            for of, name in self.self_and_team(owner):
                count = sum(of == "person" or self.people.get(it) != name for it in users)
                worth = count * reuse["points"] * factors[one["effect"]]
                self.points[of, name] += min(worth, reuse["points_max"])

    def contributions(self) -> None:
        mentoring = [it for it in self.company["contributions"] if it["kind"] == "mentoring"]
        circles = Circles((it["by"], it["mentored"]) for it in mentoring)
        pairs, points = set(), defaultdict(float)
        for one in self.company["contributions"]:
            if one["kind"] == "mentoring":
                pair = (one["by"], one["mentored"])
                if pair in pairs or circles.leads(*reversed(pair)):
                    continue
                pairs.add(pair)
            for name in self.self_and_team(one["by"]):
                points[name] += self.formula["contribution_points"][one["kind"]]
        for name, worth in points.items():
            self.points[name] += min(worth, self.formula["contribution_points_max"])

    # --- Parts --------------------------------------------------------------------------

    def parts(self, of: str, name: str) -> dict:
        formula, k = self.formula, self.formula["shrinkage_tasks"]
        quality = worth = expected = 0.0
        compared = []
        for task_type, one in self.now.sums[of][name].items():
            m = self.now.others_median(of, name, task_type)
            if m is not None:
                compared.append(one["counting"])
                quality += self.now.quality(one)
                worth += one["cost"] / m
                expected += self.now.quality(one) * m
        efficiency = self.of_100(quality + k, worth + k) if compared else None
        return {
            "efficiency": efficiency,
            "improvement": self.improvement(of, name),
            "knowledge": 100 * (1 - 2 ** (-self.points[of, name] / formula["knowledge_half"])),
            "compliance": self.compliance(of, name, expected),
            "compared": sum(compared),
            "counting": sum(it["counting"] for it in self.now.sums[of][name].values()),
        }

    @staticmethod
    def of_100(got: float, should: float) -> float:
        return min(100.0, max(0.0, 50 + 50 * math.log2(got / should)))

    def improvement(self, of: str, name: str) -> float | None:
        got = should = 0.0
        found = False
        for task_type, one in self.now.sums[of][name].items():
            if one["counting"] < self.formula["minimum_tasks"]:
                continue
            seasons = []
            for season in self.before:
                then = season.sums[of][name].get(task_type)
                if (
                    then
                    and then["counting"] >= self.formula["minimum_tasks"]
                    and season.quality(then) > 0
                    and then["cost"] > 0
                ):
                    seasons.append((then["cost"] / season.quality(then), then, season))
            if not seasons:
                continue
            b, then, season = min(seasons, key=lambda it: it[0])
            if len(seasons) == 1:
                m = season.others_median(of, name, task_type)
                if m is None:
                    continue
                b = min(b, m)
            found = True
            quality, before = self.now.quality(one), one["cost"] / b
            is_worse = (
                self.mean(one) < self.mean(then) - 0.02
                or one["successes"] / one["counting"] < then["successes"] / then["counting"] - 0.02
            )
            got += min(quality, before) if is_worse else quality
            should += before
        k = self.formula["shrinkage_tasks"]
        return self.of_100(got + k, should + k) if found else None

    def mean(self, one: Counter) -> float:
        return self.now.quality(one) / one["successes"] if one["successes"] else 0.0

    def compliance(self, of: str, name: str, expected: float) -> float:
        factors = self.formula["compliance"]
        kept = self.company["compliance_of_people" if of == "person" else "compliance_of_teams"]
        kept = kept.get(name)
        if kept is None:
            return 1.0
        heads = 1
        if of == "team":
            tasks = (it for it in self.now.tasks if it["team"] == name)
            people = {it["person"] for it in tasks if it["standing"] in CREDITED and it["person"]}
            heads = max(1, len(people))
        spend = float(kept["unregistered"]) * 1e12
        share = min(1.0, spend / expected) if expected else float(spend > 0)
        taken = (
            factors["violation"] * kept["violations"] / heads
            + factors["unregistered"] * share
            + factors["expired_exception"] * len(kept["expired_exceptions"]) / heads
        )
        return max(factors["floor"], 1 - taken)

    # --- Boards -------------------------------------------------------------------------

    def overall(self, parts: dict) -> float | None:
        weights = self.formula["weights"]
        there = {part: parts[part] for part in weights if parts[part] is not None}
        if "efficiency" not in there:
            return None
        total = sum(weights[part] * score for part, score in there.items())
        return half_up(parts["compliance"] * total / sum(weights[part] for part in there), 1)

    def score(self, of: str, name: str, board: str, parts: dict) -> float | None:
        """None is without a rank."""
        minimum = self.formula["minimum_tasks"]
        if board == "return":
            spend = int(float(self.company["spend"].get(name, "0")) * 1e12)
            own = [it for it in self.now.tasks if it["team"] == name]
            value = sum(it["value_pico"] for it in own if it["standing"] == "counts")
            return half_up(value / spend, 2) if spend and parts["counting"] >= minimum else None
        if board == "knowledge":
            is_ranked = self.points[of, name] > 0
        else:
            is_ranked = parts["compared"] >= minimum
        if not is_ranked:
            return None
        if board == "overall":
            return self.overall(parts)
        if parts[board] is None:
            return None
        return half_up(parts["compliance"] * parts[board], 1)

    def names(self, of: str) -> set[str]:
        return {task[of] for task in self.now.tasks if task[of]} | {
            name for kind, name in self.points if kind == of
        }

    def board(self, of: str, board: str) -> dict[str, tuple[int, float]]:
        """Rank and score of everybody who is ranked."""
        scores = {
            name: score
            for name in self.names(of)
            if (score := self.score(of, name, board, self.parts(of, name))) is not None
        }
        ordered = sorted(scores.values(), reverse=True)
        return {name: (ordered.index(score) + 1, score) for name, score in scores.items()}

    def board_of_type(self, of: str, task_type) -> dict[str, tuple[int, float]]:
        """Efficiency in one type alone; compliance is of everything."""
        k, scores = self.formula["shrinkage_tasks"], {}
        for name in self.names(of):
            one, m = self.now.sums[of][name].get(task_type), self.now.others_median(of, name, task_type)
            if one and m is not None and one["counting"] >= self.formula["minimum_tasks"]:
                efficiency = self.of_100(self.now.quality(one) + k, one["cost"] / m + k)
                scores[name] = half_up(self.parts(of, name)["compliance"] * efficiency, 1)
        ordered = sorted(scores.values(), reverse=True)
        return {name: (ordered.index(score) + 1, score) for name, score in scores.items()}

    def compared_types(self, of: str) -> set:
        enough = self.now.peers_of_people if of == "person" else self.now.peers_of_teams
        return {it for it, names in enough.items() if len(names) >= self.formula["minimum_peers"]}

    # --- Titles -------------------------------------------------------------------------

    def titles(self) -> dict[str, tuple[str, float]]:
        ranked = self.board("person", "overall")
        values = {
            "token_legend": lambda name: self.saved[name],
            "cache_wizard": self.cached,
            "model_connoisseur": self.below_frontier,
            "session_immortal": self.streak,
        }
        found = {}
        for title, value in values.items():
            of = {name: value(name) for name in ranked}
            best = min(of, key=lambda name: (-of[name], -ranked[name][1], name), default=None)
            if best is not None and of[best] > 0:
                found[title] = (best, of[best])
        return found

    def own(self, name: str) -> list[dict]:
        return [task for task in self.now.tasks if task["person"] == name]

    def cached(self, name: str) -> float:
        own = [task for task in self.own(name) if task["standing"] in CREDITED]
        prompts = sum(task["prompt_tokens"] for task in own)
        return sum(task["cache_read_tokens"] for task in own) / prompts if prompts else 0

    def below_frontier(self, name: str) -> float:
        below = successes = 0
        for task_type, one in self.now.sums["person"][name].items():
            peers = self.now.peers("person", name, task_type) or set()
            sums = [self.now.sums["person"][it][task_type] for it in peers]
            credited = sum(it["credited"] for it in sums)
            if credited and 5 * sum(it["frontier"] for it in sums) >= credited:
                below += one["below"]
                successes += one["successes"]
        return below / successes if successes >= self.formula["minimum_tasks"] else 0

    def streak(self, name: str) -> int:
        longest = running = 0
        for task in self.own(name):
            m = self.now.others_median("person", name, task["task_type"])
            if task["standing"] not in COUNTING or m is None:
                continue
            good = task["standing"] == "counts" and task["pico"] <= m
            running = running + 1 if good else 0
            longest = max(longest, running)
        return longest
