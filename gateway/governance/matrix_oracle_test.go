package governance

// The oracle says what the answer must be, from docs/DOMAIN_FILE.md and the list of
// refusals, without looking at a policy, an invariant or a Cedar statement.

// oracleAccess is the access policy: may this unit do this with this query at all?
func oracleAccess(u *matrixUnit, q *matrixQuery, act Act) bool {
	customer, operator := false, false
	for _, r := range u.roles {
		customer = customer || r == "application_unit" || r == "data_service_vendor"
		operator = operator || r == "operator"
	}
	customer = customer && u.sector == "use"
	if q.class == "" && q.technique != "suppress" || q.grade == "" && q.technique != "suppress" {
		return false // not a whole request
	}
	read := q.technique != "suppress"
	if q.sharing == "prohibited" || read && q.grade == "core" {
		return false
	}
	switch act {
	case "verify":
		return customer
	case "batch":
		return customer && q.templateClass != "rare"
	case "table", "aggregate":
		return customer && q.sharing != "verify_only" && q.grade != "important" && q.class != "direct_identifier"
	}
	if q.sharing == "verify_only" || read && q.grade == "important" {
		return false
	}
	if q.technique == "keep" && (q.class == "direct_identifier" || q.grade == "4") {
		return false
	}
	return customer || operator
}

// oracle gives the rule that refuses, "" for none.
func oracle(c *matrixCase) Rule {
	if rule := oracleUnit(c); rule != "" {
		return rule
	}
	switch {
	case c.when == "before":
		return "agreement-not-yet"
	case c.when == "after":
		return "agreement-expired"
	}
	asked := map[Act]Act{"verify": "verify", "batch": "verify", "table": "table", "mask": "mask", "aggregate": "aggregate"}[c.act]
	if c.query == nil || c.query.act != asked {
		if c.act == "table" || c.act == "mask" || c.act == "aggregate" {
			return Rule(c.act + "-unregistered")
		}
		return "template-unregistered"
	}
	if rule := oracleQuery(c); rule != "" {
		return rule
	}
	return oracleConsent(c)
}

func oracleUnit(c *matrixCase) Rule {
	party := c.stopped.kind == "party"
	if c.unit == nil || c.scenario == nil {
		known := map[string]bool{"shuju": true, "zhujian": true, "idle": true, "app": true, "company": true}
		switch {
		case !known[c.party]:
			return "unknown-party"
		case party && c.stopped.id == c.party:
			return "suspended"
		case c.party == "shuju" || c.party == "zhujian":
			return "role-not-allowed"
		case c.scenario == nil:
			return "scenario-unknown"
		}
		return "unit-not-in-scenario"
	}
	// every agreement of the matrix is with the company, under the operation agreement of shuju, dev and both
	for _, id := range []string{"company", "shuju", "dev", "both", c.unit.id} {
		if party && c.stopped.id == id {
			return "suspended"
		}
	}
	switch c.stopped {
	case target{"scenario", c.scenario.id}, target{"agreement", "op"}, target{"agreement", c.unit.agreement}:
		return "suspended"
	}
	return map[string]Rule{"plan": "plan-missing", "missing": "approval-missing", "invalid": "approval-invalid"}[c.scenario.state]
}

func oracleQuery(c *matrixCase) Rule {
	q := c.query
	provider := "zhujian"
	if q.set == "open" {
		provider = "renshe"
	}
	reads := q.technique != "suppress"
	switch {
	case c.stopped == target{"dataset", q.set}, c.stopped == target{"party", provider}:
		return "suspended"
	case q.sharing == "prohibited":
		return "dataset-prohibited"
	case q.sharing == "verify_only" && q.act != "verify":
		return "dataset-sharing"
	case reads && (q.class == "" || q.grade == ""):
		return "field-ungraded"
	case reads && q.grade == "core":
		return "dataset-prohibited"
	}
	customer := false
	for _, r := range c.unit.roles {
		customer = customer || r != "operator"
	}
	switch {
	case !customer && c.act != "mask":
		return "role-not-allowed"
	case c.act == "batch" && q.templateClass == "rare":
		return "batch-not-allowed"
	}
	own := q.class == "quasi_identifier" && q.grade == "1" && q.technique != "suppress" // the field f10 itself
	switch {
	case c.fields == "unknown":
		return "field-unknown"
	case c.fields == "ungraded":
		return "field-ungraded"
	case c.fields == "other" && !own, c.threshold:
		return "threshold-supplied"
	case !oracleAccess(c.unit, q, c.act), c.unit.id == "vendor" && c.act == "table" && q.set == "conditional":
		return "policy-forbidden"
	}
	return ""
}

func oracleConsent(c *matrixCase) Rule {
	q := c.query
	needs := q.act == "verify" && (c.scenario.consent || q.templateClass == "consented" || q.templateClass == "rare" && !q.statute)
	known := map[string]bool{"good": true, "unit": true, "scenario": true, "identifier": true, "template": true, "subject": true,
		"revoked": true, "expired": true}[c.consent] && (c.scenario.id == "open" || c.scenario.id == "asked")
	switch {
	case c.consent == "" && needs, c.consent != "" && !known:
		return "consent-missing"
	case c.consent == "":
		return ""
	case q.act != "verify", c.consent != "good" && c.consent != "revoked" && c.consent != "expired":
		return "consent-foreign"
	case c.consent == "revoked":
		return "consent-revoked"
	case c.consent == "expired" && c.when != "first", c.when == "last":
		return "consent-expired"
	}
	return ""
}
