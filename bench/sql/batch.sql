SELECT twin.batch_of(1000);
