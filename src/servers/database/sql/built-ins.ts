const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * The functions of PostgreSQL a query may call: those that only compute from what they are given. Everything else is
 * refused, whatever it is called: what reads files, runs text as SQL (query_to_xml, ts_rewrite, dblink), takes locks,
 * sleeps, changes or tells settings, signals, and what the database's owner made, which may run with the owner's rights.
 */
export const builtInFunctions = words(`
  array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg json_object_agg
  jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc range_agg range_intersect_agg regr_avgx
  regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp
  string_agg sum var_pop var_samp variance any_value
  cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
  abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd degrees
  div erf erfc exp factorial floor gcd lcm ln log log10 min_scale mod pi pow power radians random round scale sign sin
  sind sinh sqrt tan tand tanh trim_scale trunc width_bucket
  ascii bit_length btrim char_length character_length chr concat concat_ws convert convert_from convert_to decode encode
  format initcap is_normalized left length like_escape lower lpad ltrim md5 normalize octet_length overlay position
  quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match regexp_matches
  regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right rpad rtrim
  sha224 sha256 sha384 sha512 similar_escape similar_to_escape split_part starts_with string_to_array string_to_table
  strpos substr substring to_ascii to_bin to_hex to_oct translate unistr upper
  bit_count get_bit get_byte set_bit set_byte
  age clock_timestamp date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days justify_hours
  justify_interval make_date make_interval make_time make_timestamp make_timestamptz now overlaps statement_timestamp
  timezone to_char to_date to_number to_timestamp transaction_timestamp
  array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
  array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort array_to_json
  array_to_string array_upper cardinality generate_series generate_subscripts trim_array unnest
  array_to_tsvector enum_first enum_last enum_range num_nonnulls num_nulls pg_typeof gen_random_uuid uuidv4 uuidv7
  json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
  json_each_text json_extract_path json_extract_path_text json_object json_object_keys json_strip_nulls json_to_record
  json_to_recordset json_typeof jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
  jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
  jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query
  jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz
  jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json
  to_json to_jsonb
  int4range int8range numrange daterange tsrange tstzrange int4multirange int8multirange nummultirange datemultirange
  tsmultirange tstzmultirange multirange isempty lower_inc lower_inf upper_inc upper_inf range_merge
  numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_delete ts_filter
  ts_headline ts_rank ts_rank_cd tsquery_phrase tsvector_to_array websearch_to_tsquery
  abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network set_masklen
  area box center circle diameter height isclosed isopen line lseg npoints path point polygon radius slope width
  date text
`);

/**
 * The types a value may be cast to. Left out: those that look a name up in the catalogue (regclass and its kin), those of
 * the catalogue itself, and the row types of tables, which tell the columns of tables the query has no business with.
 */
export const builtInTypes = words(`
  bit bool boolean box bpchar bytea char cidr circle date datemultirange daterange decimal float4 float8 inet int2
  int4 int4multirange int4range int8 int8multirange int8range interval json jsonb jsonpath line lseg macaddr macaddr8
  money name numeric nummultirange numrange oid path point polygon text time timestamp timestamptz timetz tsmultirange
  tsquery tsrange tstzmultirange tstzrange tsvector uuid varbit varchar
`);

/** The value functions without brackets that tell the time; the others tell who is asking, and where. */
export const timeFunctions: ReadonlySet<string> = new Set(
  ['CURRENT_DATE', 'CURRENT_TIME', 'CURRENT_TIMESTAMP', 'LOCALTIME', 'LOCALTIMESTAMP'].flatMap((name) => [
    `SVFOP_${name}`,
    `SVFOP_${name}_N`,
  ]),
);
