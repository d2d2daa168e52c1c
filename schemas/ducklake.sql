-- tradelake: the tables of a book, for DuckLake
-- Generated from src/tradelake/tables by `make schemas`: change them, not this.

CREATE TABLE accounts (
    account_id VARCHAR NOT NULL,
    broker_account_id VARCHAR NOT NULL,
    account_type VARCHAR,
    parent_account_id VARCHAR,
    lot_method VARCHAR NOT NULL,
    base_currency VARCHAR NOT NULL,
    allocation_pattern VARCHAR,
    allocation_default BOOLEAN NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE instruments (
    instrument_id VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    contract_symbol VARCHAR,
    asset_type VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    underlying_instrument_id VARCHAR,
    strike DECIMAL(38, 12),
    expiration DATE,
    option_type VARCHAR,
    multiplier DECIMAL(38, 8) NOT NULL,
    settlement VARCHAR,
    exercise_style VARCHAR,
    deliverable VARCHAR,
    broker_contract_id VARCHAR,
    isin VARCHAR,
    description VARCHAR,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE strategies (
    strategy_id VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE import_runs (
    import_run_id BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    file_name VARCHAR,
    file_sha256 VARCHAR,
    author VARCHAR NOT NULL,
    host VARCHAR NOT NULL,
    reason VARCHAR,
    recorded_at TIMESTAMPTZ NOT NULL,
    accepted BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    conflicts BIGINT NOT NULL,
    rejects BIGINT NOT NULL,
    kept BIGINT NOT NULL,
    first_sequence BIGINT,
    last_sequence BIGINT NOT NULL,
    previous_hash VARCHAR NOT NULL,
    chain_hash VARCHAR NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE source_records (
    source_record_id BIGINT NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    section VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    code VARCHAR,
    message VARCHAR,
    text_hash VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    record_date DATE NOT NULL,
    row_check BIGINT NOT NULL
);

ALTER TABLE source_records SET PARTITIONED BY (year(record_date), month(record_date));

CREATE TABLE trade_log (
    sequence BIGINT NOT NULL,
    trade_id VARCHAR NOT NULL,
    leg_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    account_id VARCHAR,
    broker_account_id VARCHAR,
    strategy_id VARCHAR,
    order_id VARCHAR,
    broker_order_id VARCHAR,
    broker_execution_id VARCHAR,
    instrument_id VARCHAR,
    new_instrument_id VARCHAR,
    to_account_id VARCHAR,
    target_id VARCHAR,
    symbol VARCHAR,
    contract_symbol VARCHAR,
    asset_type VARCHAR,
    strike DECIMAL(38, 12),
    expiration DATE,
    option_type VARCHAR,
    action VARCHAR,
    executed_at TIMESTAMPTZ NOT NULL,
    trade_date DATE NOT NULL,
    quantity DECIMAL(38, 8),
    price DECIMAL(38, 12),
    multiplier DECIMAL(38, 8),
    gross_amount DECIMAL(38, 12),
    commission DECIMAL(38, 12) NOT NULL,
    fees DECIMAL(38, 12) NOT NULL,
    net_amount DECIMAL(38, 12),
    currency VARCHAR NOT NULL,
    reason VARCHAR,
    delta DECIMAL(38, 12),
    cash_category VARCHAR,
    details VARCHAR,
    natural_key VARCHAR NOT NULL,
    execution_digest BIGINT NOT NULL,
    trade_digest BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    source_record_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

ALTER TABLE trade_log SET PARTITIONED BY (year(trade_date), month(trade_date));

CREATE TABLE corporate_actions (
    sequence BIGINT NOT NULL,
    action_type VARCHAR NOT NULL,
    instrument_id VARCHAR NOT NULL,
    new_instrument_id VARCHAR,
    effective_at TIMESTAMPTZ NOT NULL,
    ratio_new BIGINT,
    ratio_old BIGINT,
    amount_per_unit DECIMAL(38, 12),
    basis_fraction DECIMAL(38, 12),
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE positions (
    position_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    instrument_id VARCHAR NOT NULL,
    symbol VARCHAR,
    contract_symbol VARCHAR,
    asset_type VARCHAR,
    currency VARCHAR NOT NULL,
    multiplier DECIMAL(38, 8) NOT NULL,
    quantity DECIMAL(38, 8) NOT NULL,
    average_price DECIMAL(38, 12) NOT NULL,
    average_price_ex_fees DECIMAL(38, 12) NOT NULL,
    cost_basis DECIMAL(38, 12) NOT NULL,
    charges DECIMAL(38, 12) NOT NULL,
    premium DECIMAL(38, 12) NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    open_date DATE NOT NULL,
    closed_at TIMESTAMPTZ,
    status VARCHAR NOT NULL,
    realized_pnl DECIMAL(38, 12) NOT NULL,
    realized_premium DECIMAL(38, 12) NOT NULL,
    unrealized_pnl DECIMAL(38, 12),
    open_trade_id VARCHAR NOT NULL,
    open_sequence BIGINT NOT NULL
);

CREATE TABLE lots (
    lot_id VARCHAR NOT NULL,
    position_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    instrument_id VARCHAR NOT NULL,
    symbol VARCHAR,
    contract_symbol VARCHAR,
    asset_type VARCHAR,
    currency VARCHAR NOT NULL,
    multiplier DECIMAL(38, 8) NOT NULL,
    open_trade_id VARCHAR NOT NULL,
    open_sequence BIGINT NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    open_date DATE NOT NULL,
    quantity DECIMAL(38, 8) NOT NULL,
    cost_basis DECIMAL(38, 12) NOT NULL,
    charges DECIMAL(38, 12) NOT NULL,
    premium DECIMAL(38, 12) NOT NULL,
    open_phase BIGINT NOT NULL,
    lot_rank BIGINT NOT NULL
);

CREATE TABLE matches (
    match_id VARCHAR NOT NULL,
    position_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    instrument_id VARCHAR NOT NULL,
    symbol VARCHAR,
    contract_symbol VARCHAR,
    asset_type VARCHAR,
    currency VARCHAR NOT NULL,
    multiplier DECIMAL(38, 8) NOT NULL,
    open_trade_id VARCHAR NOT NULL,
    open_sequence BIGINT NOT NULL,
    close_trade_id VARCHAR NOT NULL,
    close_sequence BIGINT NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    open_date DATE NOT NULL,
    closed_at TIMESTAMPTZ NOT NULL,
    close_date DATE NOT NULL,
    side VARCHAR NOT NULL,
    quantity DECIMAL(38, 8) NOT NULL,
    proceeds DECIMAL(38, 12) NOT NULL,
    cost DECIMAL(38, 12) NOT NULL,
    realized_pnl DECIMAL(38, 12) NOT NULL,
    premium DECIMAL(38, 12) NOT NULL,
    how VARCHAR NOT NULL,
    term VARCHAR NOT NULL,
    match_rank BIGINT NOT NULL,
    left_basis DECIMAL(38, 12) NOT NULL,
    left_charges DECIMAL(38, 12) NOT NULL,
    left_premium DECIMAL(38, 12) NOT NULL
);

CREATE TABLE position_history (
    position_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    instrument_id VARCHAR NOT NULL,
    symbol VARCHAR,
    contract_symbol VARCHAR,
    asset_type VARCHAR,
    currency VARCHAR NOT NULL,
    multiplier DECIMAL(38, 8) NOT NULL,
    quantity_closed DECIMAL(38, 8) NOT NULL,
    side VARCHAR NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    open_date DATE NOT NULL,
    closed_at TIMESTAMPTZ NOT NULL,
    close_date DATE NOT NULL,
    status VARCHAR NOT NULL,
    proceeds DECIMAL(38, 12) NOT NULL,
    cost DECIMAL(38, 12) NOT NULL,
    realized_pnl DECIMAL(38, 12) NOT NULL,
    realized_premium DECIMAL(38, 12) NOT NULL,
    open_trade_id VARCHAR NOT NULL,
    open_sequence BIGINT NOT NULL,
    close_trade_id VARCHAR NOT NULL,
    close_sequence BIGINT NOT NULL
);

CREATE TABLE cash_flows (
    sequence BIGINT NOT NULL,
    account_id VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    instrument_id VARCHAR,
    category VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    effective_at TIMESTAMPTZ NOT NULL,
    trade_date DATE NOT NULL,
    amount DECIMAL(38, 12) NOT NULL
);

CREATE TABLE refusals (
    sequence BIGINT NOT NULL,
    trade_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    message VARCHAR NOT NULL
);

CREATE TABLE marks (
    instrument_id VARCHAR NOT NULL,
    mark_date DATE NOT NULL,
    revision BIGINT NOT NULL,
    price DECIMAL(38, 12) NOT NULL,
    currency VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

ALTER TABLE marks SET PARTITIONED BY (year(mark_date), month(mark_date));

CREATE TABLE position_snapshots (
    snapshot_date DATE NOT NULL,
    version BIGINT NOT NULL,
    position_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    instrument_id VARCHAR NOT NULL,
    symbol VARCHAR,
    contract_symbol VARCHAR,
    asset_type VARCHAR,
    currency VARCHAR NOT NULL,
    multiplier DECIMAL(38, 8) NOT NULL,
    quantity DECIMAL(38, 8) NOT NULL,
    cost_basis DECIMAL(38, 12) NOT NULL,
    premium DECIMAL(38, 12) NOT NULL,
    mark_price DECIMAL(38, 12),
    mark_date DATE,
    market_value DECIMAL(38, 12),
    unrealized_pnl DECIMAL(38, 12),
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

ALTER TABLE position_snapshots SET PARTITIONED BY (year(snapshot_date), month(snapshot_date));

CREATE TABLE account_snapshots (
    snapshot_date DATE NOT NULL,
    account_id VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    positions BIGINT NOT NULL,
    unmarked BIGINT NOT NULL,
    cash DECIMAL(38, 12) NOT NULL,
    deposits DECIMAL(38, 12) NOT NULL,
    cost_basis DECIMAL(38, 12) NOT NULL,
    premium DECIMAL(38, 12) NOT NULL,
    market_value DECIMAL(38, 12) NOT NULL,
    unrealized_pnl DECIMAL(38, 12) NOT NULL,
    realized_pnl DECIMAL(38, 12) NOT NULL,
    realized_premium DECIMAL(38, 12) NOT NULL,
    dividends DECIMAL(38, 12) NOT NULL,
    interest DECIMAL(38, 12) NOT NULL,
    fees DECIMAL(38, 12) NOT NULL,
    sequence BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

ALTER TABLE account_snapshots SET PARTITIONED BY (year(snapshot_date), month(snapshot_date));

CREATE TABLE break_events (
    break_id VARCHAR NOT NULL,
    step BIGINT NOT NULL,
    action VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    broker_account_id VARCHAR NOT NULL,
    section VARCHAR NOT NULL,
    break_class VARCHAR NOT NULL,
    instrument_id VARCHAR,
    broker_execution_id VARCHAR,
    as_of DATE NOT NULL,
    ours DECIMAL(38, 12),
    theirs DECIMAL(38, 12),
    cause VARCHAR,
    details VARCHAR,
    author VARCHAR NOT NULL,
    reason VARCHAR,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE nights (
    nightly_date DATE NOT NULL,
    run BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    report VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE archives (
    archive_id VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    month DATE NOT NULL,
    url VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    first_key BIGINT NOT NULL,
    last_key BIGINT NOT NULL,
    last_known_at TIMESTAMPTZ NOT NULL,
    manifest VARCHAR NOT NULL,
    manifest_sha256 VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE holds (
    hold_id VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    account_id VARCHAR,
    symbol VARCHAR,
    reason VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE deleted_leaves (
    table_name VARCHAR NOT NULL,
    of_run_id BIGINT NOT NULL,
    month VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    digest VARCHAR NOT NULL,
    rest_rows BIGINT NOT NULL,
    rest_digest VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE closings (
    number BIGINT NOT NULL,
    closed_until TIMESTAMPTZ NOT NULL,
    subject VARCHAR NOT NULL,
    details VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    import_run_id BIGINT NOT NULL,
    row_check BIGINT NOT NULL
);

CREATE TABLE archive_totals (
    archive_id VARCHAR NOT NULL,
    month DATE NOT NULL,
    account_id VARCHAR NOT NULL,
    symbol VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    quantity DECIMAL(38, 8) NOT NULL,
    cash DECIMAL(38, 12) NOT NULL,
    commission DECIMAL(38, 12) NOT NULL,
    fees DECIMAL(38, 12) NOT NULL,
    realized_pnl DECIMAL(38, 12) NOT NULL,
    first_at TIMESTAMPTZ NOT NULL,
    latest_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE archived_keys (
    sequence BIGINT NOT NULL,
    archive_id VARCHAR NOT NULL,
    execution_digest BIGINT NOT NULL,
    trade_digest BIGINT NOT NULL,
    execution_key BIGINT NOT NULL,
    trade_key BIGINT NOT NULL
);

CREATE TABLE head (
    sequence BIGINT NOT NULL,
    source_record_id BIGINT NOT NULL,
    import_run_id BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    chain_hash VARCHAR NOT NULL,
    archive_run_id BIGINT NOT NULL
);

CREATE TABLE checkpoint (
    sequence BIGINT NOT NULL,
    latest_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE book_settings (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

CREATE TABLE migrations (
    format_version BIGINT NOT NULL,
    from_version BIGINT,
    applied_at TIMESTAMPTZ NOT NULL,
    author VARCHAR NOT NULL,
    host VARCHAR NOT NULL
);

CREATE TABLE file_digests (
    file_name VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    catalog_sha256 VARCHAR NOT NULL
);
