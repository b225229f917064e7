int model_test_placeholder;
