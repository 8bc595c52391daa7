select 'NL' as country
