-- tradelake: the tables of a book, for PostgreSQL
-- Generated from src/tradelake/tables by `make schemas`: change them, not this.

CREATE TABLE import_runs (
    import_run_id bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    file_name text COLLATE "C",
    file_sha256 text COLLATE "C",
    author text COLLATE "C" NOT NULL,
    host text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    accepted bigint NOT NULL,
    duplicates bigint NOT NULL,
    conflicts bigint NOT NULL,
    rejects bigint NOT NULL,
    kept bigint NOT NULL,
    first_sequence bigint,
    last_sequence bigint NOT NULL,
    previous_hash text COLLATE "C" NOT NULL,
    chain_hash text COLLATE "C" NOT NULL,
    row_check bigint NOT NULL
);

CREATE TABLE accounts (
    account_id text COLLATE "C" NOT NULL,
    broker_account_id text COLLATE "C" NOT NULL,
    account_type text COLLATE "C",
    parent_account_id text COLLATE "C",
    lot_method text COLLATE "C" NOT NULL,
    base_currency text COLLATE "C" NOT NULL,
    allocation_pattern text COLLATE "C",
    allocation_default boolean NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT accounts_lot_method_check CHECK (lot_method IN ('FIFO', 'LIFO', 'HIFO', 'AVERAGE', 'SPECIFIC'))
);

CREATE TABLE instruments (
    instrument_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    underlying_instrument_id text COLLATE "C",
    strike numeric(38, 12),
    expiration date,
    option_type text COLLATE "C",
    multiplier numeric(38, 8) NOT NULL,
    settlement text COLLATE "C",
    exercise_style text COLLATE "C",
    deliverable json,
    broker_contract_id text COLLATE "C",
    isin text COLLATE "C",
    description text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT instruments_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT instruments_strike_check CHECK (strike > 0),
    CONSTRAINT instruments_option_type_check CHECK (option_type IN ('CALL', 'PUT')),
    CONSTRAINT instruments_multiplier_check CHECK (multiplier > 0),
    CONSTRAINT instruments_settlement_check CHECK (settlement IN ('PHYSICAL', 'CASH')),
    CONSTRAINT instruments_exercise_style_check CHECK (exercise_style IN ('AMERICAN', 'EUROPEAN')),
    CONSTRAINT instruments_check_1 CHECK (asset_type <> 'OPTION' or (strike is not null and expiration is not null and option_type is not null and underlying_instrument_id is not null))
);

CREATE TABLE strategies (
    strategy_id text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL
);

CREATE TABLE source_records (
    source_record_id bigint NOT NULL,
    import_run_id bigint NOT NULL,
    row_number bigint NOT NULL,
    section text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    code text COLLATE "C",
    message text COLLATE "C",
    text_hash text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    record_date date NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT source_records_outcome_check CHECK (outcome IN ('event', 'kept', 'conflict', 'reject'))
);

CREATE TABLE trade_log (
    sequence bigint NOT NULL,
    trade_id text COLLATE "C" NOT NULL,
    leg_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    account_id text COLLATE "C",
    broker_account_id text COLLATE "C",
    strategy_id text COLLATE "C",
    order_id text COLLATE "C",
    broker_order_id text COLLATE "C",
    broker_execution_id text COLLATE "C",
    instrument_id text COLLATE "C",
    new_instrument_id text COLLATE "C",
    to_account_id text COLLATE "C",
    target_id text COLLATE "C",
    symbol text COLLATE "C",
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C",
    strike numeric(38, 12),
    expiration date,
    option_type text COLLATE "C",
    action text COLLATE "C",
    executed_at timestamptz NOT NULL,
    trade_date date NOT NULL,
    quantity numeric(38, 8),
    price numeric(38, 12),
    multiplier numeric(38, 8),
    gross_amount numeric(38, 12),
    commission numeric(38, 12) NOT NULL,
    fees numeric(38, 12) NOT NULL,
    net_amount numeric(38, 12),
    currency text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    delta numeric(38, 12),
    cash_category text COLLATE "C",
    details json,
    natural_key text COLLATE "C" NOT NULL,
    execution_digest bigint NOT NULL,
    trade_digest bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    source_record_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT trade_log_kind_check CHECK (kind IN ('trade', 'exercise', 'assign', 'cash_settle', 'expire', 'subscribe', 'cash', 'split', 'cash_dividend', 'return_of_capital', 'spin_off', 'rights_issue', 'merger', 'symbol_change', 'option_adjust', 'transfer', 'fork', 'merge', 'lot_method', 'cancel', 'correct', 'chain_join', 'chain_split', 'chain_name')),
    CONSTRAINT trade_log_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT trade_log_strike_check CHECK (strike > 0),
    CONSTRAINT trade_log_option_type_check CHECK (option_type IN ('CALL', 'PUT')),
    CONSTRAINT trade_log_action_check CHECK (action IN ('BUY_TO_OPEN', 'SELL_TO_OPEN', 'BUY_TO_CLOSE', 'SELL_TO_CLOSE', 'BUY', 'SELL')),
    CONSTRAINT trade_log_quantity_check CHECK (quantity > 0),
    CONSTRAINT trade_log_multiplier_check CHECK (multiplier > 0),
    CONSTRAINT trade_log_delta_check CHECK (delta between -1 and 1),
    CONSTRAINT trade_log_cash_category_check CHECK (cash_category IN ('deposit', 'fee', 'interest', 'dividend')),
    CONSTRAINT trade_log_check_1 CHECK (kind in ('cash', 'fork', 'merge', 'lot_method', 'cancel', 'correct', 'chain_join', 'chain_split', 'chain_name') or instrument_id is not null),
    CONSTRAINT trade_log_check_2 CHECK (kind in ('split', 'cash_dividend', 'return_of_capital', 'spin_off', 'rights_issue', 'merger', 'symbol_change', 'option_adjust', 'cancel', 'correct') or account_id is not null),
    CONSTRAINT trade_log_check_3 CHECK (kind not in ('cancel', 'correct') or target_id is not null),
    CONSTRAINT trade_log_check_4 CHECK (kind not in ('transfer', 'fork', 'merge') or to_account_id is not null),
    CONSTRAINT trade_log_check_5 CHECK (kind <> 'trade' or (action is not null and quantity is not null and price is not null and net_amount is not null)),
    CONSTRAINT trade_log_check_6 CHECK (asset_type <> 'OPTION' or (strike is not null and expiration is not null and option_type is not null)),
    CONSTRAINT trade_log_check_7 CHECK (kind <> 'trade' or asset_type <> 'OPTION' or trade_date <= expiration)
) PARTITION BY RANGE (trade_date);

CREATE TABLE trade_log_keys (
    sequence bigint NOT NULL,
    trade_date date NOT NULL,
    trade_id text COLLATE "C" NOT NULL,
    leg_id text COLLATE "C" NOT NULL,
    natural_key text COLLATE "C" NOT NULL
);

CREATE TABLE corporate_actions (
    sequence bigint NOT NULL,
    action_type text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C" NOT NULL,
    new_instrument_id text COLLATE "C",
    effective_at timestamptz NOT NULL,
    ratio_new bigint,
    ratio_old bigint,
    amount_per_unit numeric(38, 12),
    basis_fraction numeric(38, 12),
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT corporate_actions_ratio_new_check CHECK (ratio_new > 0),
    CONSTRAINT corporate_actions_ratio_old_check CHECK (ratio_old > 0)
);

CREATE TABLE positions (
    position_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C",
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C",
    currency text COLLATE "C" NOT NULL,
    multiplier numeric(38, 8) NOT NULL,
    quantity numeric(38, 8) NOT NULL,
    average_price numeric(38, 12) NOT NULL,
    average_price_ex_fees numeric(38, 12) NOT NULL,
    cost_basis numeric(38, 12) NOT NULL,
    charges numeric(38, 12) NOT NULL,
    premium numeric(38, 12) NOT NULL,
    opened_at timestamptz NOT NULL,
    open_date date NOT NULL,
    closed_at timestamptz,
    status text COLLATE "C" NOT NULL,
    realized_pnl numeric(38, 12) NOT NULL,
    realized_premium numeric(38, 12) NOT NULL,
    unrealized_pnl numeric(38, 12),
    open_trade_id text COLLATE "C" NOT NULL,
    open_sequence bigint NOT NULL,
    CONSTRAINT positions_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT positions_quantity_check CHECK (quantity <> 0),
    CONSTRAINT positions_status_check CHECK (status IN ('OPEN', 'CLOSED'))
);

CREATE TABLE lots (
    lot_id text COLLATE "C" NOT NULL,
    position_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C",
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C",
    currency text COLLATE "C" NOT NULL,
    multiplier numeric(38, 8) NOT NULL,
    open_trade_id text COLLATE "C" NOT NULL,
    open_sequence bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    open_date date NOT NULL,
    quantity numeric(38, 8) NOT NULL,
    cost_basis numeric(38, 12) NOT NULL,
    charges numeric(38, 12) NOT NULL,
    premium numeric(38, 12) NOT NULL,
    open_phase bigint NOT NULL,
    lot_rank bigint NOT NULL,
    CONSTRAINT lots_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT lots_quantity_check CHECK (quantity <> 0)
);

CREATE TABLE matches (
    match_id text COLLATE "C" NOT NULL,
    position_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C",
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C",
    currency text COLLATE "C" NOT NULL,
    multiplier numeric(38, 8) NOT NULL,
    open_trade_id text COLLATE "C" NOT NULL,
    open_sequence bigint NOT NULL,
    close_trade_id text COLLATE "C" NOT NULL,
    close_sequence bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    open_date date NOT NULL,
    closed_at timestamptz NOT NULL,
    close_date date NOT NULL,
    side text COLLATE "C" NOT NULL,
    quantity numeric(38, 8) NOT NULL,
    proceeds numeric(38, 12) NOT NULL,
    cost numeric(38, 12) NOT NULL,
    realized_pnl numeric(38, 12) NOT NULL,
    premium numeric(38, 12) NOT NULL,
    how text COLLATE "C" NOT NULL,
    term text COLLATE "C" NOT NULL,
    match_rank bigint NOT NULL,
    left_basis numeric(38, 12) NOT NULL,
    left_charges numeric(38, 12) NOT NULL,
    left_premium numeric(38, 12) NOT NULL,
    CONSTRAINT matches_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT matches_side_check CHECK (side IN ('LONG', 'SHORT')),
    CONSTRAINT matches_quantity_check CHECK (quantity > 0),
    CONSTRAINT matches_how_check CHECK (how IN ('trade', 'expired', 'exercised', 'assigned', 'cash_settled', 'cash_in_lieu', 'return_of_capital', 'merger', 'boot')),
    CONSTRAINT matches_term_check CHECK (term IN ('ST', 'LT'))
);

CREATE TABLE position_history (
    position_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C",
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C",
    currency text COLLATE "C" NOT NULL,
    multiplier numeric(38, 8) NOT NULL,
    quantity_closed numeric(38, 8) NOT NULL,
    side text COLLATE "C" NOT NULL,
    opened_at timestamptz NOT NULL,
    open_date date NOT NULL,
    closed_at timestamptz NOT NULL,
    close_date date NOT NULL,
    status text COLLATE "C" NOT NULL,
    proceeds numeric(38, 12) NOT NULL,
    cost numeric(38, 12) NOT NULL,
    realized_pnl numeric(38, 12) NOT NULL,
    realized_premium numeric(38, 12) NOT NULL,
    open_trade_id text COLLATE "C" NOT NULL,
    open_sequence bigint NOT NULL,
    close_trade_id text COLLATE "C" NOT NULL,
    close_sequence bigint NOT NULL,
    CONSTRAINT position_history_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT position_history_side_check CHECK (side IN ('LONG', 'SHORT')),
    CONSTRAINT position_history_status_check CHECK (status IN ('OPEN', 'CLOSED'))
);

CREATE TABLE cash_flows (
    sequence bigint NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C",
    category text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    effective_at timestamptz NOT NULL,
    trade_date date NOT NULL,
    amount numeric(38, 12) NOT NULL,
    CONSTRAINT cash_flows_category_check CHECK (category IN ('settlement', 'dividend', 'corporate_action', 'transfer'))
);

CREATE TABLE refusals (
    sequence bigint NOT NULL,
    trade_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL
);

CREATE TABLE marks (
    instrument_id text COLLATE "C" NOT NULL,
    mark_date date NOT NULL,
    revision bigint NOT NULL,
    price numeric(38, 12) NOT NULL,
    currency text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT marks_price_check CHECK (price >= 0)
);

CREATE TABLE position_snapshots (
    snapshot_date date NOT NULL,
    version bigint NOT NULL,
    position_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C",
    contract_symbol text COLLATE "C",
    asset_type text COLLATE "C",
    currency text COLLATE "C" NOT NULL,
    multiplier numeric(38, 8) NOT NULL,
    quantity numeric(38, 8) NOT NULL,
    cost_basis numeric(38, 12) NOT NULL,
    premium numeric(38, 12) NOT NULL,
    mark_price numeric(38, 12),
    mark_date date,
    market_value numeric(38, 12),
    unrealized_pnl numeric(38, 12),
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT position_snapshots_asset_type_check CHECK (asset_type IN ('STOCK', 'OPTION', 'INDEX', 'RIGHT', 'WARRANT')),
    CONSTRAINT position_snapshots_quantity_check CHECK (quantity <> 0)
);

CREATE TABLE account_snapshots (
    snapshot_date date NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    positions bigint NOT NULL,
    unmarked bigint NOT NULL,
    cash numeric(38, 12) NOT NULL,
    deposits numeric(38, 12) NOT NULL,
    cost_basis numeric(38, 12) NOT NULL,
    premium numeric(38, 12) NOT NULL,
    market_value numeric(38, 12) NOT NULL,
    unrealized_pnl numeric(38, 12) NOT NULL,
    realized_pnl numeric(38, 12) NOT NULL,
    realized_premium numeric(38, 12) NOT NULL,
    dividends numeric(38, 12) NOT NULL,
    interest numeric(38, 12) NOT NULL,
    fees numeric(38, 12) NOT NULL,
    sequence bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL
);

CREATE TABLE break_events (
    break_id text COLLATE "C" NOT NULL,
    step bigint NOT NULL,
    action text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    broker_account_id text COLLATE "C" NOT NULL,
    section text COLLATE "C" NOT NULL,
    break_class text COLLATE "C" NOT NULL,
    instrument_id text COLLATE "C",
    broker_execution_id text COLLATE "C",
    as_of date NOT NULL,
    ours numeric(38, 12),
    theirs numeric(38, 12),
    cause text COLLATE "C",
    details json,
    author text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT break_events_action_check CHECK (action IN ('opened', 'changed', 'explained', 'accepted', 'applied', 'resolved', 'reopened')),
    CONSTRAINT break_events_status_check CHECK (status IN ('OPEN', 'EXPLAINED', 'ACCEPTED', 'RESOLVED')),
    CONSTRAINT break_events_section_check CHECK (section IN ('executions', 'positions', 'lots', 'cash', 'realized')),
    CONSTRAINT break_events_break_class_check CHECK (break_class IN ('missing_here', 'missing_there', 'quantity', 'price', 'fee', 'multiplier', 'stale_split', 'timing', 'symbol_change', 'unknown'))
);

CREATE TABLE nights (
    nightly_date date NOT NULL,
    run bigint NOT NULL,
    sequence bigint NOT NULL,
    report json NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL
);

CREATE TABLE archives (
    archive_id text COLLATE "C" NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    step text COLLATE "C" NOT NULL,
    month date NOT NULL,
    url text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    file_sha256 text COLLATE "C" NOT NULL,
    bytes bigint NOT NULL,
    rows bigint NOT NULL,
    first_key bigint NOT NULL,
    last_key bigint NOT NULL,
    last_known_at timestamptz NOT NULL,
    manifest text COLLATE "C" NOT NULL,
    manifest_sha256 text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT archives_step_check CHECK (step IN ('archived', 'restored', 'deleted')),
    CONSTRAINT archives_bytes_check CHECK (bytes > 0),
    CONSTRAINT archives_rows_check CHECK (rows > 0)
);

CREATE TABLE holds (
    hold_id text COLLATE "C" NOT NULL,
    step text COLLATE "C" NOT NULL,
    account_id text COLLATE "C",
    symbol text COLLATE "C",
    reason text COLLATE "C" NOT NULL,
    author text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT holds_step_check CHECK (step IN ('placed', 'released')),
    CONSTRAINT holds_check_1 CHECK (account_id IS NOT NULL OR symbol IS NOT NULL)
);

CREATE TABLE deleted_leaves (
    table_name text COLLATE "C" NOT NULL,
    of_run_id bigint NOT NULL,
    month text COLLATE "C" NOT NULL,
    rows bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    rest_rows bigint NOT NULL,
    rest_digest text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT deleted_leaves_rows_check CHECK (rows > 0)
);

CREATE TABLE closings (
    number bigint NOT NULL,
    closed_until timestamptz NOT NULL,
    subject text COLLATE "C" NOT NULL,
    details json NOT NULL,
    recorded_at timestamptz NOT NULL,
    import_run_id bigint NOT NULL,
    row_check bigint NOT NULL,
    CONSTRAINT closings_subject_check CHECK (subject IN ('lots', 'positions', 'matches', 'position_history', 'cash_flows', 'refusals', 'totals'))
);

CREATE TABLE archive_totals (
    archive_id text COLLATE "C" NOT NULL,
    month date NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    rows bigint NOT NULL,
    quantity numeric(38, 8) NOT NULL,
    cash numeric(38, 12) NOT NULL,
    commission numeric(38, 12) NOT NULL,
    fees numeric(38, 12) NOT NULL,
    realized_pnl numeric(38, 12) NOT NULL,
    first_at timestamptz NOT NULL,
    latest_at timestamptz NOT NULL
);

CREATE TABLE archived_keys (
    sequence bigint NOT NULL,
    archive_id text COLLATE "C" NOT NULL,
    execution_digest bigint NOT NULL,
    trade_digest bigint NOT NULL,
    execution_key bigint NOT NULL,
    trade_key bigint NOT NULL
);

CREATE TABLE head (
    sequence bigint NOT NULL,
    source_record_id bigint NOT NULL,
    import_run_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    chain_hash text COLLATE "C" NOT NULL,
    archive_run_id bigint NOT NULL
);

CREATE TABLE checkpoint (
    sequence bigint NOT NULL,
    latest_at timestamptz NOT NULL
);

CREATE TABLE book_settings (
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL
);

CREATE TABLE migrations (
    format_version bigint NOT NULL,
    from_version bigint,
    applied_at timestamptz NOT NULL,
    author text COLLATE "C" NOT NULL,
    host text COLLATE "C" NOT NULL
);

CREATE TABLE file_digests (
    file_name text COLLATE "C" NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    file_sha256 text COLLATE "C" NOT NULL,
    catalog_sha256 text COLLATE "C" NOT NULL
);

CREATE TABLE twin_exports (
    export_id bigint NOT NULL,
    book_id text COLLATE "C" NOT NULL,
    format_version bigint NOT NULL,
    version bigint NOT NULL,
    sequence bigint NOT NULL,
    import_run_id bigint NOT NULL,
    exported_at timestamptz NOT NULL
);

CREATE FUNCTION add_trade_log_month(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first timestamp := date_trunc('month', day::timestamp);
    part text := 'trade_log' || to_char(first, '"_"YYYY"_"MM');
BEGIN
    IF to_regclass(format('%I.%I', current_schema(), part)) IS NULL THEN
        EXECUTE format('CREATE TABLE %I.%I PARTITION OF %I.trade_log FOR VALUES FROM (%L) TO (%L)',
            current_schema(), part, current_schema(), first::date, (first + interval '1 month')::date);
    END IF;
END $$;

ALTER TABLE import_runs ADD CONSTRAINT import_runs_pkey PRIMARY KEY (import_run_id);

ALTER TABLE accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY (account_id);

CREATE INDEX accounts_broker_account_id_idx ON accounts (broker_account_id);

ALTER TABLE accounts ADD CONSTRAINT accounts_parent_account_id_fkey FOREIGN KEY (parent_account_id) REFERENCES accounts (account_id);

ALTER TABLE accounts ADD CONSTRAINT accounts_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE instruments ADD CONSTRAINT instruments_pkey PRIMARY KEY (instrument_id);

CREATE INDEX instruments_symbol_idx ON instruments (symbol);

CREATE INDEX instruments_expiration_idx ON instruments (expiration) WHERE expiration IS NOT NULL;

ALTER TABLE instruments ADD CONSTRAINT instruments_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE strategies ADD CONSTRAINT strategies_pkey PRIMARY KEY (strategy_id);

ALTER TABLE strategies ADD CONSTRAINT strategies_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE source_records ADD CONSTRAINT source_records_pkey PRIMARY KEY (source_record_id);

ALTER TABLE source_records ADD CONSTRAINT source_records_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_pkey PRIMARY KEY (sequence, trade_date);

CREATE INDEX trade_log_account_id_symbol_executed_at_idx ON trade_log (account_id, symbol, executed_at);

CREATE INDEX trade_log_symbol_executed_at_idx ON trade_log (symbol, executed_at);

CREATE INDEX trade_log_broker_execution_id_idx ON trade_log (broker_execution_id) WHERE broker_execution_id IS NOT NULL;

CREATE INDEX trade_log_order_id_idx ON trade_log (order_id) WHERE order_id IS NOT NULL;

CREATE INDEX trade_log_strategy_id_idx ON trade_log (strategy_id) WHERE strategy_id IS NOT NULL;

CREATE INDEX trade_log_target_id_idx ON trade_log (target_id) WHERE target_id IS NOT NULL;

ALTER TABLE trade_log ADD CONSTRAINT trade_log_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_strategy_id_fkey FOREIGN KEY (strategy_id) REFERENCES strategies (strategy_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_new_instrument_id_fkey FOREIGN KEY (new_instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_to_account_id_fkey FOREIGN KEY (to_account_id) REFERENCES accounts (account_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE trade_log ADD CONSTRAINT trade_log_source_record_id_fkey FOREIGN KEY (source_record_id) REFERENCES source_records (source_record_id);

ALTER TABLE trade_log_keys ADD CONSTRAINT trade_log_keys_pkey PRIMARY KEY (sequence);

ALTER TABLE trade_log_keys ADD CONSTRAINT trade_log_keys_natural_key_key UNIQUE (natural_key);

ALTER TABLE trade_log_keys ADD CONSTRAINT trade_log_keys_trade_id_leg_id_key UNIQUE (trade_id, leg_id);

ALTER TABLE trade_log_keys ADD CONSTRAINT trade_log_keys_sequence_fkey FOREIGN KEY (sequence, trade_date) REFERENCES trade_log (sequence, trade_date) ON DELETE CASCADE;

ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_pkey PRIMARY KEY (sequence);

CREATE INDEX corporate_actions_instrument_id_effective_at_idx ON corporate_actions (instrument_id, effective_at);

ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_sequence_fkey FOREIGN KEY (sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_new_instrument_id_fkey FOREIGN KEY (new_instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE corporate_actions ADD CONSTRAINT corporate_actions_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE positions ADD CONSTRAINT positions_pkey PRIMARY KEY (position_id);

CREATE INDEX positions_account_id_symbol_idx ON positions (account_id, symbol);

CREATE INDEX positions_symbol_idx ON positions (symbol) WHERE symbol IS NOT NULL;

ALTER TABLE positions ADD CONSTRAINT positions_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE positions ADD CONSTRAINT positions_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE positions ADD CONSTRAINT positions_open_sequence_fkey FOREIGN KEY (open_sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE lots ADD CONSTRAINT lots_pkey PRIMARY KEY (lot_id);

CREATE INDEX lots_account_id_symbol_idx ON lots (account_id, symbol);

CREATE INDEX lots_position_id_idx ON lots (position_id);

ALTER TABLE lots ADD CONSTRAINT lots_position_id_fkey FOREIGN KEY (position_id) REFERENCES positions (position_id);

ALTER TABLE lots ADD CONSTRAINT lots_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE lots ADD CONSTRAINT lots_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE lots ADD CONSTRAINT lots_open_sequence_fkey FOREIGN KEY (open_sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE matches ADD CONSTRAINT matches_pkey PRIMARY KEY (match_id);

CREATE INDEX matches_account_id_symbol_closed_at_idx ON matches (account_id, symbol, closed_at);

CREATE INDEX matches_close_date_idx ON matches (close_date);

ALTER TABLE matches ADD CONSTRAINT matches_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE matches ADD CONSTRAINT matches_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE matches ADD CONSTRAINT matches_open_sequence_fkey FOREIGN KEY (open_sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE matches ADD CONSTRAINT matches_close_sequence_fkey FOREIGN KEY (close_sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE position_history ADD CONSTRAINT position_history_pkey PRIMARY KEY (position_id);

CREATE INDEX position_history_account_id_symbol_closed_at_idx ON position_history (account_id, symbol, closed_at);

CREATE INDEX position_history_symbol_closed_at_idx ON position_history (symbol, closed_at);

ALTER TABLE position_history ADD CONSTRAINT position_history_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE position_history ADD CONSTRAINT position_history_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE position_history ADD CONSTRAINT position_history_open_sequence_fkey FOREIGN KEY (open_sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE position_history ADD CONSTRAINT position_history_close_sequence_fkey FOREIGN KEY (close_sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE cash_flows ADD CONSTRAINT cash_flows_pkey PRIMARY KEY (sequence, account_id);

ALTER TABLE cash_flows ADD CONSTRAINT cash_flows_sequence_fkey FOREIGN KEY (sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE cash_flows ADD CONSTRAINT cash_flows_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE refusals ADD CONSTRAINT refusals_pkey PRIMARY KEY (sequence, account_id);

ALTER TABLE refusals ADD CONSTRAINT refusals_sequence_fkey FOREIGN KEY (sequence) REFERENCES trade_log_keys (sequence);

ALTER TABLE refusals ADD CONSTRAINT refusals_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE marks ADD CONSTRAINT marks_pkey PRIMARY KEY (instrument_id, mark_date, revision);

CREATE INDEX marks_mark_date_idx ON marks (mark_date);

ALTER TABLE marks ADD CONSTRAINT marks_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE marks ADD CONSTRAINT marks_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE position_snapshots ADD CONSTRAINT position_snapshots_pkey PRIMARY KEY (snapshot_date, account_id, instrument_id, version);

CREATE INDEX position_snapshots_account_id_snapshot_date_idx ON position_snapshots (account_id, snapshot_date);

ALTER TABLE position_snapshots ADD CONSTRAINT position_snapshots_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE position_snapshots ADD CONSTRAINT position_snapshots_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (instrument_id);

ALTER TABLE position_snapshots ADD CONSTRAINT position_snapshots_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE account_snapshots ADD CONSTRAINT account_snapshots_pkey PRIMARY KEY (snapshot_date, account_id, currency, version);

CREATE INDEX account_snapshots_account_id_snapshot_date_idx ON account_snapshots (account_id, snapshot_date);

ALTER TABLE account_snapshots ADD CONSTRAINT account_snapshots_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE account_snapshots ADD CONSTRAINT account_snapshots_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE break_events ADD CONSTRAINT break_events_pkey PRIMARY KEY (break_id, step);

ALTER TABLE break_events ADD CONSTRAINT break_events_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE nights ADD CONSTRAINT nights_pkey PRIMARY KEY (nightly_date, run);

ALTER TABLE nights ADD CONSTRAINT nights_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE archives ADD CONSTRAINT archives_pkey PRIMARY KEY (archive_id, table_name, import_run_id);

ALTER TABLE archives ADD CONSTRAINT archives_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE holds ADD CONSTRAINT holds_pkey PRIMARY KEY (hold_id, import_run_id);

ALTER TABLE holds ADD CONSTRAINT holds_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id);

ALTER TABLE holds ADD CONSTRAINT holds_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE deleted_leaves ADD CONSTRAINT deleted_leaves_pkey PRIMARY KEY (table_name, of_run_id, month, import_run_id);

ALTER TABLE deleted_leaves ADD CONSTRAINT deleted_leaves_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE closings ADD CONSTRAINT closings_pkey PRIMARY KEY (import_run_id, number);

ALTER TABLE closings ADD CONSTRAINT closings_import_run_id_fkey FOREIGN KEY (import_run_id) REFERENCES import_runs (import_run_id);

ALTER TABLE archive_totals ADD CONSTRAINT archive_totals_pkey PRIMARY KEY (archive_id, account_id, symbol, currency);

ALTER TABLE archived_keys ADD CONSTRAINT archived_keys_pkey PRIMARY KEY (sequence);

ALTER TABLE head ADD CONSTRAINT head_pkey PRIMARY KEY (sequence);

ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (sequence);

ALTER TABLE book_settings ADD CONSTRAINT book_settings_pkey PRIMARY KEY (name);

ALTER TABLE migrations ADD CONSTRAINT migrations_pkey PRIMARY KEY (format_version);

ALTER TABLE file_digests ADD CONSTRAINT file_digests_pkey PRIMARY KEY (file_name);

ALTER TABLE twin_exports ADD CONSTRAINT twin_exports_pkey PRIMARY KEY (export_id);

CREATE FUNCTION keep_trade_log_keys() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO trade_log_keys (sequence, trade_date, trade_id, leg_id, natural_key) SELECT sequence, trade_date, trade_id, leg_id, natural_key FROM added;
    RETURN NULL;
END $$;

CREATE TRIGGER keep_trade_log_keys AFTER INSERT ON trade_log REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_trade_log_keys();

COMMENT ON TABLE import_runs IS 'One row per commit to the trade log: who recorded what from where, and its link of the hash chain';

COMMENT ON COLUMN import_runs.import_run_id IS 'number of the commit, without gaps';

COMMENT ON COLUMN import_runs.source IS 'kind of input';

COMMENT ON COLUMN import_runs.file_name IS 'name of the file, without its folder';

COMMENT ON COLUMN import_runs.file_sha256 IS 'SHA-256 of the file';

COMMENT ON COLUMN import_runs.author IS 'user who recorded';

COMMENT ON COLUMN import_runs.host IS 'machine that recorded';

COMMENT ON COLUMN import_runs.reason IS 'why, in the words of the author';

COMMENT ON COLUMN import_runs.recorded_at IS 'knowledge time of the commit';

COMMENT ON COLUMN import_runs.accepted IS 'events that entered the log';

COMMENT ON COLUMN import_runs.duplicates IS 'events that were known already';

COMMENT ON COLUMN import_runs.conflicts IS 'known ids that came with other content';

COMMENT ON COLUMN import_runs.rejects IS 'rows that could not be used';

COMMENT ON COLUMN import_runs.kept IS 'rows that are stored but are no event';

COMMENT ON COLUMN import_runs.first_sequence IS 'first log sequence of the commit';

COMMENT ON COLUMN import_runs.last_sequence IS 'last log sequence after the commit';

COMMENT ON COLUMN import_runs.previous_hash IS 'chain hash before';

COMMENT ON COLUMN import_runs.chain_hash IS 'SHA-256 over the previous hash and all rows of the commit, this one included';

COMMENT ON COLUMN import_runs.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE accounts IS 'Books that own positions: Gen-Acc, Rev-Acc, Com-Acc and forks; several may share one broker account';

COMMENT ON COLUMN accounts.account_id IS 'our name of the book';

COMMENT ON COLUMN accounts.broker_account_id IS 'the brokerage account that holds it';

COMMENT ON COLUMN accounts.account_type IS 'GEN, REV, COM or another role';

COMMENT ON COLUMN accounts.parent_account_id IS 'account that this one was forked from';

COMMENT ON COLUMN accounts.lot_method IS 'which lot a sale closes first';

COMMENT ON COLUMN accounts.base_currency IS 'currency of the account';

COMMENT ON COLUMN accounts.allocation_pattern IS 'order references of the broker that belong here, as a glob';

COMMENT ON COLUMN accounts.allocation_default IS 'takes the broker''s rows that no pattern claims';

COMMENT ON COLUMN accounts.recorded_at IS 'when we were told';

COMMENT ON COLUMN accounts.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN accounts.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE instruments IS 'What is traded: stocks, options, indexes, rights';

COMMENT ON COLUMN instruments.instrument_id IS 'ticker or OSI symbol; with :CURRENCY where that is not USD';

COMMENT ON COLUMN instruments.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN instruments.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN instruments.asset_type IS 'kind of instrument';

COMMENT ON COLUMN instruments.currency IS 'currency of its price';

COMMENT ON COLUMN instruments.underlying_instrument_id IS 'what an option is written on';

COMMENT ON COLUMN instruments.strike IS 'price per share';

COMMENT ON COLUMN instruments.expiration IS 'last day of the contract';

COMMENT ON COLUMN instruments.option_type IS 'right of the holder';

COMMENT ON COLUMN instruments.multiplier IS 'units per contract';

COMMENT ON COLUMN instruments.settlement IS 'what an exercise delivers';

COMMENT ON COLUMN instruments.exercise_style IS 'when it may be exercised';

COMMENT ON COLUMN instruments.deliverable IS 'what one adjusted contract delivers: list of instrument_id and quantity, or cash';

COMMENT ON COLUMN instruments.broker_contract_id IS 'the broker''s id of the contract';

COMMENT ON COLUMN instruments.isin IS 'ISIN';

COMMENT ON COLUMN instruments.description IS 'the broker''s name of it';

COMMENT ON COLUMN instruments.recorded_at IS 'when we were told';

COMMENT ON COLUMN instruments.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN instruments.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE strategies IS 'Strategies that trades belong to, our own and those of STAR-LAB';

COMMENT ON COLUMN strategies.strategy_id IS 'id of the strategy, for STAR-LAB its strategy id';

COMMENT ON COLUMN strategies.origin IS 'ALL-USE or STAR-LAB';

COMMENT ON COLUMN strategies.recorded_at IS 'when we first saw it';

COMMENT ON COLUMN strategies.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN strategies.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE source_records IS 'The broker''s own words: every row that was read, as it was read';

COMMENT ON COLUMN source_records.source_record_id IS 'number of the record, without gaps';

COMMENT ON COLUMN source_records.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN source_records.row_number IS 'row inside the source, from 1';

COMMENT ON COLUMN source_records.section IS 'part of the source';

COMMENT ON COLUMN source_records.outcome IS 'what became of it';

COMMENT ON COLUMN source_records.code IS 'why it is no event';

COMMENT ON COLUMN source_records.message IS 'the reason in words';

COMMENT ON COLUMN source_records.text_hash IS 'first 32 digits of the SHA-256 of broker account, section and text; empty where it brought an event';

COMMENT ON COLUMN source_records.text IS 'the record itself';

COMMENT ON COLUMN source_records.record_date IS 'trading day of its first event, else the day of the commit in UTC';

COMMENT ON COLUMN source_records.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE trade_log IS 'The append-only log of events: executions leg by leg, option events, cash movements';

COMMENT ON COLUMN trade_log.sequence IS 'position in the log, without gaps';

COMMENT ON COLUMN trade_log.trade_id IS 'unique id of the event, with leg_id';

COMMENT ON COLUMN trade_log.leg_id IS 'leg of a multi-leg order';

COMMENT ON COLUMN trade_log.kind IS 'what happened';

COMMENT ON COLUMN trade_log.account_id IS 'book that it belongs to; null: every book that holds the instrument';

COMMENT ON COLUMN trade_log.broker_account_id IS 'brokerage account that reported it';

COMMENT ON COLUMN trade_log.strategy_id IS 'strategy, for STAR-LAB its strategy id';

COMMENT ON COLUMN trade_log.order_id IS 'order id of the Order Execution Service';

COMMENT ON COLUMN trade_log.broker_order_id IS 'order id of the broker';

COMMENT ON COLUMN trade_log.broker_execution_id IS 'execution id of the broker';

COMMENT ON COLUMN trade_log.instrument_id IS 'what was traded; null for cash';

COMMENT ON COLUMN trade_log.new_instrument_id IS 'what a corporate action or subscription gives';

COMMENT ON COLUMN trade_log.to_account_id IS 'book that a transfer, fork or merge goes to';

COMMENT ON COLUMN trade_log.target_id IS 'trade_id of the event that a cancel or correct cures';

COMMENT ON COLUMN trade_log.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN trade_log.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN trade_log.asset_type IS 'kind of instrument';

COMMENT ON COLUMN trade_log.strike IS 'strike of an option, per share';

COMMENT ON COLUMN trade_log.expiration IS 'last day of an option';

COMMENT ON COLUMN trade_log.option_type IS 'right of the holder';

COMMENT ON COLUMN trade_log.action IS 'side, and whether it opens or closes where the source says so';

COMMENT ON COLUMN trade_log.executed_at IS 'effective time';

COMMENT ON COLUMN trade_log.trade_date IS 'trading day it belongs to';

COMMENT ON COLUMN trade_log.quantity IS 'shares or contracts, positive; null: all that is open';

COMMENT ON COLUMN trade_log.price IS 'per unit; settlement price of a cash settlement';

COMMENT ON COLUMN trade_log.multiplier IS 'units per contract';

COMMENT ON COLUMN trade_log.gross_amount IS 'quantity x price x multiplier, unsigned side';

COMMENT ON COLUMN trade_log.commission IS 'broker''s commission, positive when paid';

COMMENT ON COLUMN trade_log.fees IS 'exchange and regulatory fees, negative for a rebate';

COMMENT ON COLUMN trade_log.net_amount IS 'cash into the account (+) or out of it (-); null where it follows from the lots';

COMMENT ON COLUMN trade_log.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN trade_log.reason IS 'why the trade was made';

COMMENT ON COLUMN trade_log.delta IS 'option delta at the execution';

COMMENT ON COLUMN trade_log.cash_category IS 'kind of cash movement';

COMMENT ON COLUMN trade_log.details IS 'what only some kinds have: chosen lots, tags';

COMMENT ON COLUMN trade_log.natural_key IS 'digest that recognises a second delivery';

COMMENT ON COLUMN trade_log.execution_digest IS 'CRC-32 of what is one execution, which finds deliveries of it';

COMMENT ON COLUMN trade_log.trade_digest IS 'CRC-32 of trade id and leg';

COMMENT ON COLUMN trade_log.recorded_at IS 'knowledge time';

COMMENT ON COLUMN trade_log.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN trade_log.source_record_id IS 'its source record';

COMMENT ON COLUMN trade_log.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE trade_log_keys IS 'The keys of trade_log, unique over all of its months; kept by a trigger of trade_log';

COMMENT ON COLUMN trade_log_keys.sequence IS 'position in the log';

COMMENT ON COLUMN trade_log_keys.trade_date IS 'trading day, which says in what month the event is';

COMMENT ON COLUMN trade_log_keys.trade_id IS 'as in the log';

COMMENT ON COLUMN trade_log_keys.leg_id IS 'as in the log';

COMMENT ON COLUMN trade_log_keys.natural_key IS 'as in the log';

COMMENT ON TABLE corporate_actions IS 'Terms of corporate actions, one row per event of the log that is one';

COMMENT ON COLUMN corporate_actions.sequence IS 'its event';

COMMENT ON COLUMN corporate_actions.action_type IS 'split, dividend, spin-off, merger ...';

COMMENT ON COLUMN corporate_actions.instrument_id IS 'what it happened to';

COMMENT ON COLUMN corporate_actions.new_instrument_id IS 'what came out of it';

COMMENT ON COLUMN corporate_actions.effective_at IS 'start of the ex-date';

COMMENT ON COLUMN corporate_actions.ratio_new IS 'new units ...';

COMMENT ON COLUMN corporate_actions.ratio_old IS '... for so many old ones';

COMMENT ON COLUMN corporate_actions.amount_per_unit IS 'cash per unit';

COMMENT ON COLUMN corporate_actions.basis_fraction IS 'share of the basis that moves';

COMMENT ON COLUMN corporate_actions.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN corporate_actions.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE positions IS 'Open positions: one row per account and instrument that is not flat';

COMMENT ON COLUMN positions.position_id IS 'account, instrument and the sequence of the event that opened it';

COMMENT ON COLUMN positions.account_id IS 'book that holds it';

COMMENT ON COLUMN positions.instrument_id IS 'what is held';

COMMENT ON COLUMN positions.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN positions.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN positions.asset_type IS 'kind of instrument';

COMMENT ON COLUMN positions.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN positions.multiplier IS 'units per contract';

COMMENT ON COLUMN positions.quantity IS 'signed units held';

COMMENT ON COLUMN positions.average_price IS 'cost_basis / (quantity x multiplier), for display';

COMMENT ON COLUMN positions.average_price_ex_fees IS 'the same without the charges inside the basis, for display';

COMMENT ON COLUMN positions.cost_basis IS 'what was paid for it, negative for a short';

COMMENT ON COLUMN positions.charges IS 'charges inside the basis';

COMMENT ON COLUMN positions.premium IS 'premium of exercised options inside the basis';

COMMENT ON COLUMN positions.opened_at IS 'when it was last flat';

COMMENT ON COLUMN positions.open_date IS 'trading day of opened_at';

COMMENT ON COLUMN positions.closed_at IS 'null while open';

COMMENT ON COLUMN positions.status IS 'OPEN here, CLOSED in position_history';

COMMENT ON COLUMN positions.realized_pnl IS 'realized since it was opened';

COMMENT ON COLUMN positions.realized_premium IS 'what the economic view adds to realized_pnl';

COMMENT ON COLUMN positions.unrealized_pnl IS 'null without a mark';

COMMENT ON COLUMN positions.open_trade_id IS 'event that opened it';

COMMENT ON COLUMN positions.open_sequence IS 'log sequence of that event';

COMMENT ON TABLE lots IS 'Open lots: what one event opened and is still open';

COMMENT ON COLUMN lots.lot_id IS 'account, instrument, opening event and rank';

COMMENT ON COLUMN lots.position_id IS 'its position';

COMMENT ON COLUMN lots.account_id IS 'book that holds it';

COMMENT ON COLUMN lots.instrument_id IS 'what is held';

COMMENT ON COLUMN lots.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN lots.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN lots.asset_type IS 'kind of instrument';

COMMENT ON COLUMN lots.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN lots.multiplier IS 'units per contract';

COMMENT ON COLUMN lots.open_trade_id IS 'event that opened it; * for an average-cost pool';

COMMENT ON COLUMN lots.open_sequence IS 'log sequence of the opening event (of a pool: its oldest)';

COMMENT ON COLUMN lots.opened_at IS 'open time, decides the order of lots';

COMMENT ON COLUMN lots.open_date IS 'trading day of the opening, decides the holding period';

COMMENT ON COLUMN lots.quantity IS 'signed units';

COMMENT ON COLUMN lots.cost_basis IS 'what was paid for it, negative for a short';

COMMENT ON COLUMN lots.charges IS 'charges inside the basis';

COMMENT ON COLUMN lots.premium IS 'premium of exercised options inside the basis';

COMMENT ON COLUMN lots.open_phase IS 'phase of the opening event within its instant';

COMMENT ON COLUMN lots.lot_rank IS 'order among the lots that one event opened';

COMMENT ON TABLE matches IS 'Lot closures: one slice of an opening event against a closing event';

COMMENT ON COLUMN matches.match_id IS 'closing event, instrument and rank';

COMMENT ON COLUMN matches.position_id IS 'position, open or closed, that it belongs to';

COMMENT ON COLUMN matches.account_id IS 'book that holds it';

COMMENT ON COLUMN matches.instrument_id IS 'what is held';

COMMENT ON COLUMN matches.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN matches.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN matches.asset_type IS 'kind of instrument';

COMMENT ON COLUMN matches.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN matches.multiplier IS 'units per contract';

COMMENT ON COLUMN matches.open_trade_id IS 'event that opened the lot; * for an average-cost pool';

COMMENT ON COLUMN matches.open_sequence IS 'log sequence of the opening event';

COMMENT ON COLUMN matches.close_trade_id IS 'event that closed it';

COMMENT ON COLUMN matches.close_sequence IS 'log sequence of the closing event';

COMMENT ON COLUMN matches.opened_at IS 'when the lot was opened';

COMMENT ON COLUMN matches.open_date IS 'trading day of opened_at';

COMMENT ON COLUMN matches.closed_at IS 'when the lot was closed';

COMMENT ON COLUMN matches.close_date IS 'trading day of closed_at';

COMMENT ON COLUMN matches.side IS 'LONG: bought then sold; SHORT: sold then bought';

COMMENT ON COLUMN matches.quantity IS 'units closed, positive';

COMMENT ON COLUMN matches.proceeds IS 'what the sale brought, net of charges';

COMMENT ON COLUMN matches.cost IS 'what the purchase cost, with charges';

COMMENT ON COLUMN matches.realized_pnl IS 'proceeds - cost';

COMMENT ON COLUMN matches.premium IS 'what the economic view adds to realized_pnl';

COMMENT ON COLUMN matches.how IS 'what closed it';

COMMENT ON COLUMN matches.term IS 'holding period for tax';

COMMENT ON COLUMN matches.match_rank IS 'order among the matches of one closing event';

COMMENT ON COLUMN matches.left_basis IS 'basis that left the lot, signed as there; 0 where its units stay open';

COMMENT ON COLUMN matches.left_charges IS 'charges inside that basis';

COMMENT ON COLUMN matches.left_premium IS 'premium of exercised options inside that basis';

COMMENT ON TABLE position_history IS 'Closed positions, each from flat to flat';

COMMENT ON COLUMN position_history.position_id IS 'account, instrument and the sequence of the event that opened it';

COMMENT ON COLUMN position_history.account_id IS 'book that holds it';

COMMENT ON COLUMN position_history.instrument_id IS 'what is held';

COMMENT ON COLUMN position_history.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN position_history.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN position_history.asset_type IS 'kind of instrument';

COMMENT ON COLUMN position_history.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN position_history.multiplier IS 'units per contract';

COMMENT ON COLUMN position_history.quantity_closed IS 'units closed over its life';

COMMENT ON COLUMN position_history.side IS 'LONG or SHORT';

COMMENT ON COLUMN position_history.opened_at IS 'when it was last flat';

COMMENT ON COLUMN position_history.open_date IS 'trading day of opened_at';

COMMENT ON COLUMN position_history.closed_at IS 'when it was flat again';

COMMENT ON COLUMN position_history.close_date IS 'trading day of closed_at';

COMMENT ON COLUMN position_history.status IS 'CLOSED';

COMMENT ON COLUMN position_history.proceeds IS 'what its closings brought, net of charges';

COMMENT ON COLUMN position_history.cost IS 'what its openings cost, with charges';

COMMENT ON COLUMN position_history.realized_pnl IS 'proceeds - cost';

COMMENT ON COLUMN position_history.realized_premium IS 'what the economic view adds to realized_pnl';

COMMENT ON COLUMN position_history.open_trade_id IS 'event that opened it';

COMMENT ON COLUMN position_history.open_sequence IS 'log sequence of that event';

COMMENT ON COLUMN position_history.close_trade_id IS 'event that made it flat';

COMMENT ON COLUMN position_history.close_sequence IS 'log sequence of that event';

COMMENT ON TABLE cash_flows IS 'Cash of events whose amount follows from the lots: option events, dividends, corporate actions, transfers';

COMMENT ON COLUMN cash_flows.sequence IS 'event that moved it';

COMMENT ON COLUMN cash_flows.account_id IS 'book whose cash moved';

COMMENT ON COLUMN cash_flows.symbol IS 'underlying, or the stock itself; empty for a transfer of cash';

COMMENT ON COLUMN cash_flows.instrument_id IS 'instrument of the event';

COMMENT ON COLUMN cash_flows.category IS 'what kind of cash it is';

COMMENT ON COLUMN cash_flows.currency IS 'currency of the amount';

COMMENT ON COLUMN cash_flows.effective_at IS 'when it moved; a dividend moves when it is paid';

COMMENT ON COLUMN cash_flows.trade_date IS 'trading day it belongs to';

COMMENT ON COLUMN cash_flows.amount IS 'into the account (+) or out of it (-)';

COMMENT ON TABLE refusals IS 'Events of the log that have no effect, because the position at their time does not allow them';

COMMENT ON COLUMN refusals.sequence IS 'refused event';

COMMENT ON COLUMN refusals.trade_id IS 'its id';

COMMENT ON COLUMN refusals.account_id IS 'its account';

COMMENT ON COLUMN refusals.symbol IS 'underlying, or the stock itself; empty where there is none';

COMMENT ON COLUMN refusals.code IS 'reason, for programs';

COMMENT ON COLUMN refusals.message IS 'reason, and what to do';

COMMENT ON TABLE marks IS 'Prices at the close of a session; the highest revision that is known counts';

COMMENT ON COLUMN marks.instrument_id IS 'what is priced';

COMMENT ON COLUMN marks.mark_date IS 'trading day at whose close it is the price';

COMMENT ON COLUMN marks.revision IS '1 for the first price of that day, then counted up';

COMMENT ON COLUMN marks.price IS 'per unit; of an option per share of its contract';

COMMENT ON COLUMN marks.currency IS 'currency of the price';

COMMENT ON COLUMN marks.source IS 'who gave it: a file, a statement, a callback';

COMMENT ON COLUMN marks.recorded_at IS 'knowledge time';

COMMENT ON COLUMN marks.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN marks.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE position_snapshots IS 'Positions at the close of a session, one row each; they belong to the account snapshot of their version';

COMMENT ON COLUMN position_snapshots.snapshot_date IS 'trading day at whose close it was held';

COMMENT ON COLUMN position_snapshots.version IS 'version of the account''s snapshot of that day';

COMMENT ON COLUMN position_snapshots.position_id IS 'account, instrument and the sequence of the event that opened it';

COMMENT ON COLUMN position_snapshots.account_id IS 'book that holds it';

COMMENT ON COLUMN position_snapshots.instrument_id IS 'what is held';

COMMENT ON COLUMN position_snapshots.symbol IS 'underlying, or the stock itself';

COMMENT ON COLUMN position_snapshots.contract_symbol IS '21-character OSI symbol of an option';

COMMENT ON COLUMN position_snapshots.asset_type IS 'kind of instrument';

COMMENT ON COLUMN position_snapshots.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN position_snapshots.multiplier IS 'units per contract';

COMMENT ON COLUMN position_snapshots.quantity IS 'signed units held';

COMMENT ON COLUMN position_snapshots.cost_basis IS 'what was paid for it, negative for a short';

COMMENT ON COLUMN position_snapshots.premium IS 'premium of exercised options inside the basis';

COMMENT ON COLUMN position_snapshots.mark_price IS 'newest price up to that day; null without one';

COMMENT ON COLUMN position_snapshots.mark_date IS 'trading day of that price';

COMMENT ON COLUMN position_snapshots.market_value IS 'quantity x multiplier x mark_price; null without a mark';

COMMENT ON COLUMN position_snapshots.unrealized_pnl IS 'market_value - cost_basis; null without a mark';

COMMENT ON COLUMN position_snapshots.recorded_at IS 'knowledge time';

COMMENT ON COLUMN position_snapshots.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN position_snapshots.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE account_snapshots IS 'Accounts at the close of a session, one row per currency; the highest version that is known counts';

COMMENT ON COLUMN account_snapshots.snapshot_date IS 'trading day at whose close it stood so';

COMMENT ON COLUMN account_snapshots.account_id IS 'book';

COMMENT ON COLUMN account_snapshots.currency IS 'currency of all amounts of the row';

COMMENT ON COLUMN account_snapshots.version IS '1 for the first snapshot of that day; late events and marks make another';

COMMENT ON COLUMN account_snapshots.positions IS 'open positions';

COMMENT ON COLUMN account_snapshots.unmarked IS 'open positions without a mark; they are in no value';

COMMENT ON COLUMN account_snapshots.cash IS 'cash balance that the events give';

COMMENT ON COLUMN account_snapshots.deposits IS 'deposits and withdrawals to date, transfers and forks of cash included';

COMMENT ON COLUMN account_snapshots.cost_basis IS 'cost basis of the open positions';

COMMENT ON COLUMN account_snapshots.premium IS 'premium of exercised options inside the basis';

COMMENT ON COLUMN account_snapshots.market_value IS 'value of the positions that have a mark';

COMMENT ON COLUMN account_snapshots.unrealized_pnl IS 'unrealized profit of the positions that have a mark';

COMMENT ON COLUMN account_snapshots.realized_pnl IS 'realized to date';

COMMENT ON COLUMN account_snapshots.realized_premium IS 'what the economic view adds to realized_pnl';

COMMENT ON COLUMN account_snapshots.dividends IS 'dividends to date';

COMMENT ON COLUMN account_snapshots.interest IS 'interest to date';

COMMENT ON COLUMN account_snapshots.fees IS 'charges and fees to date';

COMMENT ON COLUMN account_snapshots.sequence IS 'head of the log that it follows from';

COMMENT ON COLUMN account_snapshots.recorded_at IS 'knowledge time';

COMMENT ON COLUMN account_snapshots.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN account_snapshots.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE break_events IS 'The life of breaks: each row is one step of one difference between us and the broker';

COMMENT ON COLUMN break_events.break_id IS 'the difference; the same one night after night';

COMMENT ON COLUMN break_events.step IS 'steps of a break, from 1';

COMMENT ON COLUMN break_events.action IS 'what happened to it';

COMMENT ON COLUMN break_events.status IS 'where that leaves it';

COMMENT ON COLUMN break_events.broker_account_id IS 'brokerage account whose statement differs';

COMMENT ON COLUMN break_events.section IS 'what differs';

COMMENT ON COLUMN break_events.break_class IS 'kind of difference';

COMMENT ON COLUMN break_events.instrument_id IS 'instrument; null for cash';

COMMENT ON COLUMN break_events.broker_execution_id IS 'execution that differs, where it is one';

COMMENT ON COLUMN break_events.as_of IS 'last day of the statement that it was seen in, or settled by';

COMMENT ON COLUMN break_events.ours IS 'our side; null where we have nothing';

COMMENT ON COLUMN break_events.theirs IS 'the broker''s side; null where it has nothing';

COMMENT ON COLUMN break_events.cause IS 'what explains it, in words';

COMMENT ON COLUMN break_events.details IS 'proposed events, what follows from it, both sides in full';

COMMENT ON COLUMN break_events.author IS 'who took the step';

COMMENT ON COLUMN break_events.reason IS 'why, in the author''s words';

COMMENT ON COLUMN break_events.recorded_at IS 'knowledge time';

COMMENT ON COLUMN break_events.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN break_events.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE nights IS 'Nightly runs that were completed';

COMMENT ON COLUMN nights.nightly_date IS 'trading day whose close it is about';

COMMENT ON COLUMN nights.run IS 'runs of that day, from 1';

COMMENT ON COLUMN nights.sequence IS 'head of the log when it was done';

COMMENT ON COLUMN nights.report IS 'what it found';

COMMENT ON COLUMN nights.recorded_at IS 'knowledge time';

COMMENT ON COLUMN nights.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN nights.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE archives IS 'The life of every file in cold storage, one row per step; the newest step counts';

COMMENT ON COLUMN archives.archive_id IS 'the archived part: its month and the start of the SHA-256 of its rows';

COMMENT ON COLUMN archives.table_name IS 'table whose rows the file has';

COMMENT ON COLUMN archives.step IS 'what happened';

COMMENT ON COLUMN archives.month IS 'first day of the month of the rows';

COMMENT ON COLUMN archives.url IS 'folder in the object store, without credentials';

COMMENT ON COLUMN archives.object IS 'name of the file under the folder';

COMMENT ON COLUMN archives.file_sha256 IS 'SHA-256 of the file';

COMMENT ON COLUMN archives.bytes IS 'size of the file';

COMMENT ON COLUMN archives.rows IS 'rows of the file';

COMMENT ON COLUMN archives.first_key IS 'lowest sequence or source record of the file';

COMMENT ON COLUMN archives.last_key IS 'highest one';

COMMENT ON COLUMN archives.last_known_at IS 'latest knowledge time of its rows';

COMMENT ON COLUMN archives.manifest IS 'name of the manifest under the folder';

COMMENT ON COLUMN archives.manifest_sha256 IS 'SHA-256 of the manifest';

COMMENT ON COLUMN archives.recorded_at IS 'knowledge time';

COMMENT ON COLUMN archives.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN archives.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE holds IS 'Legal holds: events of an account or symbol that may not be deleted; one row per step, the newest counts';

COMMENT ON COLUMN holds.hold_id IS 'the hold';

COMMENT ON COLUMN holds.step IS 'what happened to it';

COMMENT ON COLUMN holds.account_id IS 'book; null: every one';

COMMENT ON COLUMN holds.symbol IS 'stock or underlying, as events name it; null: every one';

COMMENT ON COLUMN holds.reason IS 'why, in the author''s words';

COMMENT ON COLUMN holds.author IS 'who took the step';

COMMENT ON COLUMN holds.recorded_at IS 'knowledge time';

COMMENT ON COLUMN holds.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN holds.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE deleted_leaves IS 'What stands in the hash chain for rows that were deleted; the newest row of a commit and month counts';

COMMENT ON COLUMN deleted_leaves.table_name IS 'table that had the rows';

COMMENT ON COLUMN deleted_leaves.of_run_id IS 'commit that had brought them';

COMMENT ON COLUMN deleted_leaves.month IS 'month of the rows, as 2026-01';

COMMENT ON COLUMN deleted_leaves.rows IS 'rows that the commit brought to the month';

COMMENT ON COLUMN deleted_leaves.digest IS 'SHA-256 of all these rows, which the link of the commit has';

COMMENT ON COLUMN deleted_leaves.rest_rows IS 'rows of them that are still there';

COMMENT ON COLUMN deleted_leaves.rest_digest IS 'SHA-256 of those; empty where there are none';

COMMENT ON COLUMN deleted_leaves.recorded_at IS 'knowledge time';

COMMENT ON COLUMN deleted_leaves.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN deleted_leaves.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE closings IS 'How the book stood when it was closed up to an instant, since events before it were deleted; the newest counts';

COMMENT ON COLUMN closings.number IS 'row of the closing, from 1';

COMMENT ON COLUMN closings.closed_until IS 'nothing is recorded any more that happened by then';

COMMENT ON COLUMN closings.subject IS 'table that it is about, or totals';

COMMENT ON COLUMN closings.details IS 'an open lot, a position, totals of an account; of other tables what is final';

COMMENT ON COLUMN closings.recorded_at IS 'knowledge time';

COMMENT ON COLUMN closings.import_run_id IS 'commit that brought it';

COMMENT ON COLUMN closings.row_check IS 'CRC-32 of the row, which names one that was touched';

COMMENT ON TABLE archive_totals IS 'What the archived events of a month add up to, per account, symbol and currency';

COMMENT ON COLUMN archive_totals.archive_id IS 'the archived part';

COMMENT ON COLUMN archive_totals.month IS 'first day of the month';

COMMENT ON COLUMN archive_totals.account_id IS 'book';

COMMENT ON COLUMN archive_totals.symbol IS 'underlying or stock; empty for none';

COMMENT ON COLUMN archive_totals.currency IS 'currency of the amounts';

COMMENT ON COLUMN archive_totals.rows IS 'events';

COMMENT ON COLUMN archive_totals.quantity IS 'shares and contracts, signed by their side';

COMMENT ON COLUMN archive_totals.cash IS 'cash into the account (+) or out of it (-)';

COMMENT ON COLUMN archive_totals.commission IS 'commissions, positive when paid';

COMMENT ON COLUMN archive_totals.fees IS 'fees, positive when paid';

COMMENT ON COLUMN archive_totals.realized_pnl IS 'profit of the matches that these events closed';

COMMENT ON COLUMN archive_totals.first_at IS 'earliest effective time';

COMMENT ON COLUMN archive_totals.latest_at IS 'latest effective time';

COMMENT ON TABLE archived_keys IS 'How a second delivery of an archived event is recognised';

COMMENT ON COLUMN archived_keys.sequence IS 'position of the event in the log';

COMMENT ON COLUMN archived_keys.archive_id IS 'the archived part that has it';

COMMENT ON COLUMN archived_keys.execution_digest IS 'as in the log';

COMMENT ON COLUMN archived_keys.trade_digest IS 'as in the log';

COMMENT ON COLUMN archived_keys.execution_key IS '64 bits of the SHA-256 of what is one execution';

COMMENT ON COLUMN archived_keys.trade_key IS '64 bits of the SHA-256 of trade id and leg';

COMMENT ON TABLE head IS 'One row: where the log stands; every writer updates it, so that two writers conflict';

COMMENT ON COLUMN head.sequence IS 'last log sequence';

COMMENT ON COLUMN head.source_record_id IS 'last source record';

COMMENT ON COLUMN head.import_run_id IS 'last commit';

COMMENT ON COLUMN head.recorded_at IS 'knowledge time of the last commit';

COMMENT ON COLUMN head.chain_hash IS 'last link of the hash chain';

COMMENT ON COLUMN head.archive_run_id IS 'last commit that archived or restored anything; 0: none';

COMMENT ON TABLE checkpoint IS 'One row: the log sequence at which the derived tables stand';

COMMENT ON COLUMN checkpoint.sequence IS 'derived tables cover the log up to here';

COMMENT ON COLUMN checkpoint.latest_at IS 'latest effective time among those events';

COMMENT ON TABLE book_settings IS 'What a book knows of itself: its format and when it was made';

COMMENT ON COLUMN book_settings.name IS 'name of the setting';

COMMENT ON COLUMN book_settings.value IS 'its value';

COMMENT ON TABLE migrations IS 'The formats that a book has had: with which it was made, and who brought it to the later ones';

COMMENT ON COLUMN migrations.format_version IS 'format that the book has had since';

COMMENT ON COLUMN migrations.from_version IS 'format before; null: the book was made with this one';

COMMENT ON COLUMN migrations.applied_at IS 'when';

COMMENT ON COLUMN migrations.author IS 'user who did it';

COMMENT ON COLUMN migrations.host IS 'machine on which';

COMMENT ON TABLE file_digests IS 'Digests of the data files, noted when they were written, so that a byte that is never read is found as well';

COMMENT ON COLUMN file_digests.file_name IS 'path of the file inside the folder of its table';

COMMENT ON COLUMN file_digests.table_name IS 'table that it holds rows of';

COMMENT ON COLUMN file_digests.file_sha256 IS 'SHA-256 of the file';

COMMENT ON COLUMN file_digests.catalog_sha256 IS 'SHA-256 of what the catalog says of it: counts, sizes, statistics, partition';

COMMENT ON TABLE twin_exports IS 'The exports that made this twin of a book: the newest says where it stands';

COMMENT ON COLUMN twin_exports.export_id IS 'exports, from 1';

COMMENT ON COLUMN twin_exports.book_id IS 'id of the book';

COMMENT ON COLUMN twin_exports.format_version IS 'format of the book';

COMMENT ON COLUMN twin_exports.version IS 'commit of the book''s catalog that was exported';

COMMENT ON COLUMN twin_exports.sequence IS 'head of the log then';

COMMENT ON COLUMN twin_exports.import_run_id IS 'last commit of the log then';

COMMENT ON COLUMN twin_exports.exported_at IS 'when it was exported';

REVOKE ALL ON FUNCTION add_trade_log_month(date) FROM PUBLIC;

DO $$ BEGIN CREATE ROLE tradelake_writer NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; WHEN insufficient_privilege THEN RAISE NOTICE 'the role tradelake_writer has to be created by an administrator'; END $$;

DO $$ BEGIN CREATE ROLE tradelake_reader NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; WHEN insufficient_privilege THEN RAISE NOTICE 'the role tradelake_reader has to be created by an administrator'; END $$;

DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tradelake_writer') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO tradelake_writer', current_schema());
    GRANT SELECT, INSERT ON import_runs, accounts, instruments, strategies, source_records, trade_log, trade_log_keys, corporate_actions, marks, position_snapshots, account_snapshots, break_events, nights, archives, holds, deleted_leaves, closings, twin_exports TO tradelake_writer;
    GRANT SELECT, INSERT, UPDATE, DELETE ON positions, lots, matches, position_history, cash_flows, refusals, archive_totals, archived_keys, head, checkpoint, book_settings, migrations, file_digests TO tradelake_writer;
    GRANT EXECUTE ON FUNCTION add_trade_log_month(date) TO tradelake_writer;
END IF; END $$;

DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tradelake_reader') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO tradelake_reader', current_schema());
    GRANT SELECT ON import_runs, accounts, instruments, strategies, source_records, trade_log, trade_log_keys, corporate_actions, marks, position_snapshots, account_snapshots, break_events, nights, archives, holds, deleted_leaves, closings, twin_exports, positions, lots, matches, position_history, cash_flows, refusals, archive_totals, archived_keys, head, checkpoint, book_settings, migrations, file_digests TO tradelake_reader;
END IF; END $$;
