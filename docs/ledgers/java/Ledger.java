import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A ledger of payouts with kafka-clients and SQLite.
 *
 * <p>Without arguments it books payout.statuses until it is ended; with "books" it prints the books,
 * one JSON line a payout.
 *
 * <p>The rule: the books of a payout follow from its latest status alone, and an event is skipped
 * unless its sequence is higher than the last one booked.
 */
public final class Ledger {
  private static final Pattern KNOWN = Pattern.compile("payout\\.[a-z_]+\\.v1");
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    String url = "jdbc:sqlite:" + env("LEDGER_FILE", "ledger.db") + "?journal_mode=WAL&busy_timeout=30000";
    try (Connection db = DriverManager.getConnection(url)) {
      db.createStatement().execute(
          "CREATE TABLE IF NOT EXISTS payouts (payout_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL,"
              + " status TEXT NOT NULL, reserved INTEGER NOT NULL, paid INTEGER NOT NULL, commission INTEGER NOT NULL)");
      if (List.of(args).contains("books")) {
        print(db);
      } else {
        consume(db);
      }
    }
  }

  private static void consume(Connection db) throws Exception {
    Properties p = new Properties();
    p.put("bootstrap.servers", env("KAFKA_BROKERS", "localhost:9092"));
    p.put("group.id", env("KAFKA_GROUP", "ledger"));
    p.put("auto.offset.reset", "earliest"); // a new ledger begins at the beginning
    p.put("enable.auto.commit", "false"); // offsets are committed after the booking
    p.put("session.timeout.ms", "10000");
    db.setAutoCommit(false);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(env("KAFKA_TOPIC", "payout.statuses")));
      while (true) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(500));
        if (records.isEmpty()) {
          continue;
        }
        for (ConsumerRecord<String, String> record : records) {
          book(db, record);
        }
        db.commit();
        try {
          consumer.commitSync();
        } catch (CommitFailedException | RebalanceInProgressException e) {
          // The partitions go to another process. What was booked comes again, and is skipped.
        }
      }
    }
  }

  private static void book(Connection db, ConsumerRecord<String, String> record) throws Exception {
    Header header = record.headers().lastHeader("ce_type");
    String type = header == null ? "" : new String(header.value());
    if (!KNOWN.matcher(type).matches()) {
      return; // a later version's event
    }
    JsonNode event = JSON.readTree(record.value());
    if (!type.equals("payout." + event.path("status").asText() + ".v1") || event.get("sequence").asLong() == 0) {
      return; // the same, or a request that never became a payout
    }
    boolean paid = event.get("status").asText().equals("paid");
    long amount = minor(event.get("amount"));
    // Reserved while not final: also for unknown, and for statuses of tomorrow.
    long reserved = event.get("final").asBoolean() ? 0 : amount;
    try (PreparedStatement put = db.prepareStatement(
        "INSERT INTO payouts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (payout_id) DO UPDATE SET"
            + " sequence = excluded.sequence, status = excluded.status, reserved = excluded.reserved,"
            + " paid = excluded.paid, commission = excluded.commission WHERE excluded.sequence > payouts.sequence")) {
      put.setString(1, event.get("payoutId").asText());
      put.setLong(2, event.get("sequence").asLong());
      put.setString(3, event.get("status").asText());
      put.setLong(4, reserved);
      put.setLong(5, paid ? amount : 0);
      put.setLong(6, paid ? minor(event.get("commission")) : 0);
      put.executeUpdate();
    }
  }

  /** The amount in minor units, exactly. */
  private static long minor(JsonNode money) {
    return money == null ? 0 : new BigDecimal(money.get("value").asText()).movePointRight(2).longValueExact();
  }

  private static void print(Connection db) throws SQLException, java.io.IOException {
    ResultSet row = db.createStatement().executeQuery("SELECT payout_id, status, reserved, paid, commission FROM payouts");
    while (row.next()) {
      System.out.println(JSON.writeValueAsString(Map.of(
          "payoutId", row.getString(1), "status", row.getString(2),
          "reserved", lira(row.getLong(3)), "paid", lira(row.getLong(4)), "commission", lira(row.getLong(5)))));
    }
  }

  private static String lira(long minor) {
    return BigDecimal.valueOf(minor, 2).toPlainString();
  }

  private static String env(String name, String otherwise) {
    return Optional.ofNullable(System.getenv(name)).orElse(otherwise);
  }
}
