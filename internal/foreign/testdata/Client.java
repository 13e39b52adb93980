import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes requests and reads statuses with kafka-clients: see clients_test.go. */
public final class Client {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    Properties p = new Properties();
    p.put("bootstrap.servers", System.getenv("KAFKA_BROKERS"));
    switch (args[0]) {
      case "read" -> read(p, topic);
      case "write" -> {
        try (KafkaProducer<String, String> producer = producer(p)) {
          send(producer, topic, args[2].equals("structured"));
        }
      }
      case "transaction" -> {
        p.put("transactional.id", "java-shop");
        try (KafkaProducer<String, String> producer = producer(p)) {
          producer.initTransactions();
          producer.beginTransaction();
          send(producer, topic, false);
          producer.flush(); // the records stand in the log, whatever becomes of them
          if (args[2].equals("commit")) {
            producer.commitTransaction();
          } else {
            producer.abortTransaction();
          }
        }
      }
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static KafkaProducer<String, String> producer(Properties p) {
    p.put("acks", "all");
    return new KafkaProducer<>(p, new StringSerializer(), new StringSerializer());
  }

  private static void send(KafkaProducer<String, String> producer, String topic, boolean structured) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode e = JSON.readTree(line);
      ObjectNode attributes = (ObjectNode) e.get("attributes");
      ProducerRecord<String, String> record;
      if (structured) {
        attributes.put("datacontenttype", "application/json").set("data", e.get("data"));
        record = new ProducerRecord<>(topic, e.get("key").asText(), attributes.toString());
        header(record, "content-type", "application/cloudevents+json");
      } else {
        record = new ProducerRecord<>(topic, e.get("key").asText(), e.get("data").toString());
        for (Map.Entry<String, JsonNode> a : attributes.properties()) {
          header(record, "ce_" + a.getKey(), a.getValue().asText());
        }
        header(record, "content-type", "application/json");
      }
      header(record, "x-shop", "kafka-clients");
      producer.send(record, (metadata, err) -> {
        if (err != null) {
          err.printStackTrace();
          Runtime.getRuntime().halt(1);
        }
      });
    }
  }

  private static void header(ProducerRecord<String, String> record, String name, String value) {
    record.headers().add(name, value.getBytes(StandardCharsets.UTF_8));
  }

  private static void read(Properties p, String topic) throws Exception {
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> parts =
          consumer.partitionsFor(topic).stream().map(i -> new TopicPartition(topic, i.partition())).toList();
      consumer.assign(parts);
      consumer.seekToBeginning(parts);
      long left = consumer.endOffsets(parts).values().stream().mapToLong(Long::longValue).sum();
      while (left > 0) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofSeconds(10))) {
          ObjectNode line = JSON.createObjectNode().put("partition", r.partition()).put("offset", r.offset()).put("key", r.key());
          ObjectNode headers = line.putObject("headers");
          for (Header h : r.headers()) {
            headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8));
          }
          line.set("value", JSON.readTree(r.value()));
          System.out.println(line);
          left--;
        }
      }
    }
  }
}
