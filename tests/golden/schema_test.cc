int schema_placeholder;
